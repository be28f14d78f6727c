import { testBreakerStore } from '../../src/testing/suites/breaker-store.ts';
import { inProcessDriver } from './in-process-driver.ts';

await testBreakerStore('inProcessStores().breakers', inProcessDriver);
