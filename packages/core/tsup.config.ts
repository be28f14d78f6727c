import { preset } from '../../tsup.base.ts';

export default preset({
  entry: {
    index: 'src/index.ts',
    host: 'src/host.ts',
    'mcp-server/index': 'src/mcp-server/index.ts',
    'service-auth/index': 'src/service-auth/index.ts',
    'telemetry/open-telemetry': 'src/telemetry/open-telemetry.ts',
    'testing/index': 'src/testing/index.ts',
    'testing/steward-test': 'src/testing/replicas/steward-test.ts',
    'testing/replica': 'src/testing/replicas/replica-process.ts',
  },
});
