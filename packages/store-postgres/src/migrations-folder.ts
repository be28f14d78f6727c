import { fileURLToPath } from 'node:url';

/** Where the migrations are: beside `src` in the workspace, beside `dist` when installed. */
export const migrationsFolder = fileURLToPath(new URL('../migrations', import.meta.url));
