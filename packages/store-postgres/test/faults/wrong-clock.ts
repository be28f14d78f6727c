// Imported before a program: its wall clock is wrong by so many milliseconds, and takes a step later. The database's is not.
const [offsetMs = 0, stepMs = 0, afterMs = 0] = (process.env['WRONG_CLOCK'] ?? '')
  .split(',')
  .map(Number);

const RightDate = Date;
let offset = offsetMs;
setTimeout(() => {
  offset += stepMs;
}, afterMs).unref();

const now = () => RightDate.now() + offset;
globalThis.Date = new Proxy(RightDate, {
  construct: (target, args, self) =>
    Reflect.construct(target, args.length > 0 ? args : [now()], self),
  get: (target, name, self) => (name === 'now' ? now : Reflect.get(target, name, self)),
});
