import { testSessionStore } from '../../src/testing/suites/session-store.ts';
import { hostDriver } from './in-process-driver.ts';

await testSessionStore('inProcessHostStores().sessions', hostDriver);
