import { testRunStore } from '../../src/testing/suites/run-store.ts';
import { inProcessDriver } from './in-process-driver.ts';

await testRunStore('inProcessStores().runs', inProcessDriver);
