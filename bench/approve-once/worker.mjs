// One way of one peer in a fresh process. First question: approved in two tabs at the same moment, and once more later.
// Second question: approved, and approved again by an impatient person while the tool runs.
import { executions, started } from './tool.mjs';

process.on('disconnect', () => process.exit(1));

const said = ({ status, reason }) =>
  status === 'fulfilled' ? 'accepted' : String(reason?.message ?? reason).split('\n', 1)[0];

async function question(ask, answer) {
  const before = executions();
  const press = await ask();
  if (executions() !== before) throw new Error('the tool ran before anybody approved it');
  return answer(press, () => executions() - before);
}

async function twoTabs(press, ran) {
  const tabs = await Promise.allSettled([press(), press()]);
  const atOnce = ran();
  if (atOnce === 0) throw new Error(`the tool did not run: ${tabs.map(said).join('; ')}`);
  const late = await Promise.allSettled([press()]);
  return { atOnce, total: ran(), answers: [...tabs, ...late].map(said) };
}

async function impatient(press, ran) {
  const start = started();
  const first = press();
  await Promise.race([start, first]);
  await Promise.allSettled([first, press()]);
  return { whileRunning: ran() };
}

async function approveOnce({ peer, way, baseURL }) {
  const { ways } = await import(`../peers/${peer}/approve-once.mjs`);
  const ask = () => ways[way]({ baseURL });
  return { ...(await question(ask, twoTabs)), ...(await question(ask, impatient)) };
}

const result = await approveOnce(JSON.parse(process.argv[2])).catch((reason) => ({
  error: String(reason?.stack ?? reason).slice(0, 600),
}));
process.send(result, () => process.exit(0));
