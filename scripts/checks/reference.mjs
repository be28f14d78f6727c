// The pages of docs/reference are made from the sources; this check makes them anew and compares.
// node scripts/checks/reference.mjs --write   writes them
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { root } from '../lib/workspace.mjs';

const core = join(root, 'packages/core/src');
const { errorCodes } = await import(join(core, 'errors/error-codes.ts'));
const { defaultBudgets, defaultLease, defaultLimits } = await import(join(core, 'options.ts'));

/** @typedef {{ name: string, optional: boolean, type: string, text: string }} Member */

/**
 * The interfaces of a source file with their members and comments.
 * @param {string} file
 * @returns {Map<string, { text: string, members: Member[] }>}
 */
function interfacesOf(file) {
  const path = join(core, file);
  const source = ts.createSourceFile(
    path,
    readFileSync(path, 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  );
  const found = new Map();
  for (const node of source.statements) {
    if (ts.isInterfaceDeclaration(node)) found.set(node.name.text, describe(node, source));
  }
  return found;
}

/** @param {ts.InterfaceDeclaration} node @param {ts.SourceFile} source */
function describe(node, source) {
  /** @type {Member[]} */
  const members = node.members.filter(ts.isPropertySignature).map((member) => ({
    name: member.name.getText(source),
    optional: member.questionToken !== undefined,
    // Every option may be given as undefined; saying so in each row would help nobody.
    type:
      member.type
        ?.getText(source)
        .replaceAll(/\s+/g, ' ')
        .replace(/ \| undefined$/, '') ?? '',
    text: commentOf(member),
  }));
  return { text: commentOf(node), members };
}

/** The comment without its tags, on one line. @param {ts.Node} node */
function commentOf(node) {
  const [doc] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  const text = doc ? (ts.getTextOfJSDocComment(doc.comment) ?? '') : '';
  return text
    .replaceAll(/\{@link (\w+)\}/g, '`$1`')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/** @param {string} text */
const cell = (text) => text.replaceAll('|', '\\|');

const made =
  'Made from the sources by `node scripts/checks/reference.mjs --write`; a check holds it to them.';

function errorsPage() {
  const rows = Object.entries(errorCodes).map(
    ([code, { meaning, retryable }]) =>
      `| \`${code}\` | ${cell(meaning)} | ${retryable ? 'yes' : ''} |`,
  );
  return `# Error codes

${made}

Every error of Steward is a \`StewardError\` with one of these codes, or a \`TypeError\` for an argument that a type checker would
have refused. The last column says whether the same request may succeed later.

| code | meaning | retryable |
|---|---|---|
${rows.join('\n')}
`;
}

function eventsPage() {
  const all = [...interfacesOf('events/run-event.ts')].filter(([name]) => name.endsWith('Event'));
  const sections = all.map(([, { text, members }]) => {
    const type = members.find(({ name }) => name === 'type')?.type.replaceAll("'", '');
    const fields = members.filter(({ name }) => name !== 'type').map(fieldRow);
    const table =
      fields.length > 0 ? `\n| field | type | |\n|---|---|---|\n${fields.join('\n')}\n` : '';
    return `## \`${type}\`\n\n${text}\n${table}`;
  });
  return `# Events

${made}

Every event also has \`runId\`, \`at\` (Unix milliseconds) and \`cursor\`. \`complete\`, \`error\` and \`cancelled\` end a run.

${sections.join('\n')}`;
}

/** @param {Member} member */
const fieldRow = ({ name, optional, type, text }) =>
  `| \`${name}${optional ? '?' : ''}\` | \`${cell(type)}\` | ${cell(text)} |`;

/** @param {string} title @param {string} file @param {string} name @param {Record<string, unknown>} [defaults] */
function optionTable(title, file, name, defaults) {
  const { text, members } = interfacesOf(file).get(name) ?? { text: '', members: [] };
  const head = defaults
    ? '| option | default | |\n|---|---|---|'
    : '| option | type | |\n|---|---|---|';
  const rows = members.map((/** @type {Member} */ member) =>
    defaults
      ? `| \`${member.name}\` | \`${JSON.stringify(defaults[member.name])}\` | ${cell(member.text)} |`
      : fieldRow(member),
  );
  return `## ${title}\n\n${text}\n\n${head}\n${rows.join('\n')}\n`;
}

function optionsPage() {
  return `# Options

${made}

${[
  optionTable('`new Assistant(options)`', 'options.ts', 'AssistantOptions'),
  optionTable('`limits`', 'run/run-settings.ts', 'Limits', defaultLimits),
  optionTable('`lease`', 'run/run-settings.ts', 'Lease', defaultLease),
  optionTable('`budgets`', 'policies/budgets.ts', 'Budgets', defaultBudgets),
  optionTable('`assistant.run(input, options)`', 'options.ts', 'RunOptions'),
  optionTable('`openaiModel(options)`', 'model/openai-model.ts', 'OpenAIModelOptions'),
  optionTable('`tool(options)`', 'tools/define-tool.ts', 'ToolOptions'),
  optionTable(
    '`inProcessStores(options)`',
    'stores/in-process/in-process-stores.ts',
    'InProcessStoresOptions',
  ),
].join('\n')}`;
}

const pages = { errors: errorsPage(), events: eventsPage(), options: optionsPage() };
const write = process.argv.includes('--write');
let stale = 0;
for (const [name, page] of Object.entries(pages)) {
  const path = join(root, `docs/reference/${name}.md`);
  if (write) writeFileSync(path, page);
  else if (readOr(path) !== page) {
    console.error(
      `docs/reference/${name}.md is not what the sources say: run node scripts/checks/reference.mjs --write`,
    );
    stale += 1;
  }
}
process.exitCode = stale > 0 ? 1 : 0;

/** @param {string} path */
function readOr(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
