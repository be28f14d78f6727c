import { parseArgs } from 'node:util';
import { startChat } from './chat.ts';
import { chooseModel } from './model-choice.ts';

const usage = `npm start              the chat page, on http://127.0.0.1:3000
PORT=3001 npm start    on another port

Without a key a demo model answers. For a real one, set
  OPENAI_API_KEY     the key
  OPENAI_BASE_URL    another server that speaks Chat Completions
  OPENAI_MODEL       the model's name
`;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { help: { type: 'boolean', default: false } } });
  if (values.help) {
    console.log(usage);
    return;
  }
  const choice = chooseModel(process.env);
  const chat = await startChat({ choice, port: readPort(process.env['PORT']) });
  console.log(`Steward is at ${chat.url}\n${choice.label}. ${choice.hint}\nCtrl-C ends it.`);
  closeOnSignal(() => chat.close());
}

function readPort(text = '3000'): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new TypeError(`PORT must be a number from 0 to 65535, not "${text}"`);
}

function closeOnSignal(close: () => Promise<void>): void {
  let closing = false;
  const end = () => {
    if (closing) process.exit(1); // asked twice: somebody does not want to wait
    closing = true;
    close().then(() => process.exit(0), fail);
  };
  process.on('SIGINT', end).on('SIGTERM', end);
}

function fail(reason: unknown): never {
  const { code, message } = reason as NodeJS.ErrnoException;
  const taken = `Port ${process.env['PORT'] ?? 3000} is taken. Start with another: PORT=3001 npm start`;
  console.error(code === 'EADDRINUSE' ? taken : message);
  process.exit(1);
}

main().catch(fail);
