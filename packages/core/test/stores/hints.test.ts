import { testHints } from '../../src/testing/suites/hints.ts';
import { inProcessDriver } from './in-process-driver.ts';

await testHints('inProcessStores().hints', inProcessDriver);
