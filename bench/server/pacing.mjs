// Streams that get one token every so often: one queue and one timer for each delay, however many streams there are.

const queues = new Map();

function drive(delay, queue) {
  const now = performance.now();
  while (queue.length > 0 && queue[0].due <= now) {
    const stream = queue.shift();
    if (!stream.step()) continue;
    stream.due = Math.max(stream.due + delay, now);
    queue.push(stream);
  }
  if (queue.length === 0) queues.delete(delay);
  else setTimeout(drive, Math.max(1, queue[0].due - performance.now()), delay, queue);
}

/** Calls `step` every `delay` ms until it returns false. */
export function pace(delay, step) {
  let queue = queues.get(delay);
  if (queue === undefined) {
    queue = [];
    queues.set(delay, queue);
    setTimeout(drive, delay, delay, queue);
  }
  queue.push({ due: performance.now() + delay, step });
}
