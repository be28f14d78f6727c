import { testRunStore } from '@steward/core/testing';
import { databases } from './drivers.ts';

for (const database of databases) await testRunStore(database.name, database);
