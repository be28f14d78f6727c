import { testCache } from '../../src/testing/suites/cache.ts';
import { hostDriver } from './in-process-driver.ts';

await testCache('inProcessHostStores().cache', hostDriver);
