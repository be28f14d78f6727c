import { testUserStore } from '@steward/core/testing';
import { databases } from './drivers.ts';

for (const database of databases) await testUserStore(database.name, database);
