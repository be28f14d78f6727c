import { testConversationStore } from '@steward/core/testing';
import { databases } from './drivers.ts';

for (const database of databases) await testConversationStore(database.name, database);
