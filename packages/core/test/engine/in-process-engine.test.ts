import { InProcessEngine } from '../../src/engine/in-process-engine.ts';
import { testRunEngine } from '../../src/testing/suites/run-engine.ts';

await testRunEngine('InProcessEngine', {
  open: async () => new InProcessEngine(),
  close: (engine) => engine.stop(0),
});
