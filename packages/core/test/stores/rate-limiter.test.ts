import { testRateLimiter } from '../../src/testing/suites/rate-limiter.ts';
import { inProcessDriver } from './in-process-driver.ts';

await testRateLimiter('inProcessStores().rateLimiter', inProcessDriver);
