import { testArtifactStore } from '@steward/core/testing';
import { databases } from './drivers.ts';

const artifactBytes = 3 * 1024 * 1024;
for (const database of databases) {
  const open = () => database.open({ artifactBytes });
  await testArtifactStore(database.name, { ...database, open, artifactBytes });
}
