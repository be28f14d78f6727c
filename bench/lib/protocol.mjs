// What the fake server says and what a client must have received: both sides compute it from the model's name.
// fake-<tokens>[-<rounds>x<parallel>][-<delay>ms], e.g. fake-20, fake-20-10x1, fake-500-5ms.
// Without a delay the whole answer is one write; with one, each token is a write of its own.

const words = (
  'The quick assistant reads every incoming message , checks available tools and then answers with a short , ' +
  'helpful explanation of what it found in the documentation . When nothing matches it says so plainly instead ' +
  'of guessing .'
).split(' ');

export const prompt = 'What does the documentation say about streaming? Look it up.';
export const instructions = 'You are a helpful assistant. Use the tools when needed.';

export function tokenText(index) {
  const word = words[index % words.length];
  return index > 0 && !/^[,.]$/.test(word) ? ` ${word}` : word;
}

export function parseModel(model) {
  const match = /^fake-(\d+)(?:-(\d+)x(\d+))?(?:-(\d+)ms)?$/.exec(model);
  if (match === null) return undefined;
  const [tokens, rounds, parallel, delay] = match.slice(1).map((digits) => Number(digits ?? 0));
  return { tokens, rounds, parallel, delay };
}

const characters = new Map();

function charactersOf(tokens) {
  if (!characters.has(tokens)) {
    let sum = 0;
    for (let index = 0; index < tokens; index += 1) sum += tokenText(index).length;
    characters.set(tokens, sum);
  }
  return characters.get(tokens);
}

export function expected(model) {
  const { tokens, rounds, parallel } = parseModel(model);
  return { tokens, characters: charactersOf(tokens), toolResults: rounds * parallel };
}

/** A run that lost or doubled anything is no measurement. */
export function check(model, received) {
  for (const [name, value] of Object.entries(expected(model))) {
    if (received[name] !== value) {
      throw new Error(`${model}: ${name} is ${received[name]} instead of ${value}`);
    }
  }
  return received;
}
