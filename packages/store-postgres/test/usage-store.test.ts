import { testUsageStore } from '@steward/core/testing';
import { databases } from './drivers.ts';

for (const database of databases) await testUsageStore(database.name, database);
