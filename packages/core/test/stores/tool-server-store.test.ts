import { testToolServerStore } from '../../src/testing/suites/tool-server-store.ts';
import { inProcessDriver } from './in-process-driver.ts';

await testToolServerStore('inProcessStores().toolServers', inProcessDriver);
