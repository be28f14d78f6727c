import { testAuditLog } from '@steward/core/testing';
import { databases } from './drivers.ts';
import { tamper } from './tamper.ts';

for (const database of databases) await testAuditLog(database.name, { ...database, tamper });
