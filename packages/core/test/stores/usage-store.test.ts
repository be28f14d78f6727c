import { testUsageStore } from '../../src/testing/suites/usage-store.ts';
import { inProcessDriver } from './in-process-driver.ts';

await testUsageStore('inProcessStores().usage', inProcessDriver);
