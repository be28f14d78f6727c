import { testAuditLog } from '../../src/testing/suites/audit-log.ts';
import { auditDriver } from './in-process-driver.ts';

await testAuditLog('the in-process AuditLog', auditDriver);
