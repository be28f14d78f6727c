import { testToolServerStore } from '@steward/core/testing';
import { databases } from './drivers.ts';

for (const database of databases) await testToolServerStore(database.name, database);
