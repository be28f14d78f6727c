import { testUserStore } from '../../src/testing/suites/user-store.ts';
import { hostDriver } from './in-process-driver.ts';

await testUserStore('inProcessHostStores().users', hostDriver);
