// Import direction inside core: a folder may import its own row and the rows above it, never a row below.
const layers = [
  ['internal', 'errors'],
  ['events', 'stores', 'telemetry', 'service-auth'],
  ['model', 'tools'],
  ['mcp', 'prompt', 'policies', 'artifacts'],
  ['run', 'engine', 'mcp-server'],
  ['assistant.ts', 'assembly.ts', 'assistant-arguments.ts', 'options.ts', 'run-arguments.ts'],
  ['index.ts', 'host.ts'],
];
const core = '^packages/core/src/';
/** @param {string[]} names */
const among = (names) =>
  `${core}(${names.map((name) => (name.endsWith('.ts') ? `${name.slice(0, -3)}\\.ts$` : `${name}/`)).join('|')})`;

const direction = layers.slice(0, -1).map((layer, index) => ({
  name: `core-direction-${layer.join('-').replaceAll('.ts', '')}`,
  comment: `${layer.join(', ')} may not import what is built on top of it`,
  severity: 'error',
  from: { path: among(layer) },
  to: { path: among(layers.slice(index + 1).flat()) },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...direction,
    {
      name: 'core-unknown-folder',
      comment: 'a new folder or root file of core needs a row in the layers of this file',
      severity: 'error',
      from: {},
      to: { path: core, pathNot: [among(layers.flat()), `${core}testing/`] },
    },
    {
      name: 'testing-only-in-tests',
      comment: 'the test kit may import everything; only tests may import it',
      severity: 'error',
      from: { pathNot: ['^packages/core/src/testing/', '/test/', '^scripts/chaos/'] },
      to: { path: `${core}testing/` },
    },
    {
      name: 'core-imports-no-other-package',
      severity: 'error',
      from: { path: '^packages/core/src/' },
      to: { path: '^(packages/(?!core/)|examples/)' },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'undeclared-dependency',
      comment: 'declare it in the package.json of the package that imports it',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'dev-dependency-in-source',
      comment: 'what is published may import only dependencies and peers',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm-peer', 'npm'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(packages|examples)/[^/]+/dist/' },
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@steward/source', 'import', 'node', 'types', 'default'],
      extensions: ['.ts', '.mjs', '.js', '.json'],
    },
  },
};
