import { testBreakerStore } from '../../src/testing/index.ts';
import { inProcessDriver } from './in-process-driver.ts';

await testBreakerStore('inProcessStores().breakers', inProcessDriver);
