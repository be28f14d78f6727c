import { testLiveLog } from '../../src/testing/suites/live-log.ts';
import { inProcessDriver } from './in-process-driver.ts';

await testLiveLog('inProcessStores().liveLog', inProcessDriver);
