import { inProcessCredentialStore } from '../../src/stores/in-process/in-process-credential-store.ts';
import { testCredentialStore } from '../../src/testing/suites/credential-store.ts';

await testCredentialStore('inProcessCredentialStore()', {
  open: async () => ({ credentials: inProcessCredentialStore() }),
  reopen: async (store) => store,
  passTime: async () => {},
  close: async () => {},
});
