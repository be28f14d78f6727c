import { defined } from './internal/defined.ts';
import { isRecord } from './internal/json.ts';
import { type AssistantOptions, defaultBudgets, defaultLease, defaultLimits } from './options.ts';
import type { Budgets } from './policies/budgets.ts';
import type { Lease, Limits } from './run/run-settings.ts';

type Rule = readonly [rule: string, holds: (value: unknown) => boolean];

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isPositive = (value: unknown): boolean => isCount(value) && value !== 0;
const aFunction: Rule = ['a function', (value) => typeof value === 'function'];
const object: Rule = ['an object', isRecord];

/** A part that has these functions or parts of its own. */
function having(members: string): Rule {
  const isPart = (value: unknown) => isRecord(value) || typeof value === 'function';
  const holds = (value: unknown) =>
    isRecord(value) && members.split(', ').every((member) => isPart(value[member]));
  return [`an object with ${members}`, holds];
}

const rules: Readonly<Record<keyof AssistantOptions, Rule>> = {
  model: [
    'a name, settings for openaiModel, or a client',
    (model) => typeof model === 'string' || isRecord(model),
  ],
  instructions: ['a text', (text) => typeof text === 'string'],
  tools: ['an array', Array.isArray],
  mcp: object,
  credentials: having('get, put, delete'),
  stores: having(
    'runs, conversations, liveLog, artifacts, usage, rateLimiter, breakers, hints, audit, toolServers, close',
  ),
  engine: having('enqueue, start, stop, stats'),
  telemetry: having('span, record'),
  limits: object,
  lease: object,
  budgets: object,
  rateLimit: [
    'an object with points and windowMs, positive integers',
    (limit) => isRecord(limit) && isPositive(limit['points']) && isPositive(limit['windowMs']),
  ],
  masking: aFunction,
  prepareTurn: aFunction,
  clock: having('now, schedule'),
  crashPoint: aFunction,
};

/** Checks what an assistant is made of. Throws a `TypeError` naming the option that is not acceptable, or unknown. */
export function checkOptions(options: AssistantOptions): void {
  if (!isRecord(options)) throw new TypeError('Assistant: options must be an object');
  if (options.model === undefined) throw new TypeError('Assistant: model is missing');
  checkEach('', options, rules);
}

const count: Rule = ['an integer that is not negative', isCount];
const positive: Rule = ['a positive integer', isPositive];

/** Bounds that may be nothing: no history, no queue, no second try, no wait. */
const mayBeZero: ReadonlySet<string> = new Set<keyof Limits>([
  'historyMessages',
  'historyBytes',
  'queueLimit',
  'modelRetries',
  'maxRetryWaitMs',
  'cancelGraceMs',
]);

/** A shorter result has no room for where the rest of it is. */
const resultBytes: Rule = [
  'an integer of at least 1,024',
  (value) => isCount(value) && (value as number) >= 1_024,
];

/** The bounds of runs: the defaults, with what was given instead. */
export function readLimits(given: AssistantOptions['limits']): Limits {
  return withDefaults('limits', defaultLimits, given, (name) => {
    if (name === 'resultLimitBytes') return resultBytes;
    return mayBeZero.has(name) ? count : positive;
  });
}

/** How ownership is kept. An owner has to beat more than once before its lease runs out. */
export function readLease(given: AssistantOptions['lease']): Lease {
  const lease = withDefaults('lease', defaultLease, given, () => positive);
  if (lease.beatMs * 2 <= lease.ttlMs) return lease;
  throw new TypeError('Assistant: lease.beatMs must be at most half of lease.ttlMs');
}

const budgetRules: Readonly<Record<string, Rule>> = {
  runTokens: ['a positive integer or null', (tokens) => tokens === null || isPositive(tokens)],
  userTokens: [
    'a list of { windowMs, tokens }, positive integers',
    (limits) =>
      Array.isArray(limits) &&
      limits.every(
        (limit) => isRecord(limit) && isPositive(limit['windowMs']) && isPositive(limit['tokens']),
      ),
  ],
  reserveTokens: count,
};

/** What runs may cost. */
export function readBudgets(given: AssistantOptions['budgets']): Budgets {
  return withDefaults('budgets', defaultBudgets, given, (name) => budgetRules[name] ?? count);
}

function withDefaults<T extends object>(
  field: string,
  defaults: T,
  given: Partial<T> | undefined,
  ruleOf: (name: string) => Rule,
): T {
  const names = Object.keys(defaults).map((name) => [name, ruleOf(name)] as const);
  checkEach(`${field}.`, given ?? {}, Object.fromEntries(names));
  return { ...defaults, ...defined(given ?? {}) };
}

function checkEach(
  prefix: string,
  given: object,
  rulesByName: Readonly<Record<string, Rule>>,
): void {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(rulesByName, name)) {
      throw new TypeError(`Assistant: ${prefix}${name} is not an option`);
    }
    const [rule, holds] = rulesByName[name] ?? count;
    if (value === undefined || holds(value)) continue;
    throw new TypeError(`Assistant: ${prefix}${name} must be ${rule}`);
  }
}
