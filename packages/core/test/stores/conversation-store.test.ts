import { testConversationStore } from '../../src/testing/suites/conversation-store.ts';
import { inProcessDriver } from './in-process-driver.ts';

await testConversationStore('inProcessStores().conversations', inProcessDriver);
