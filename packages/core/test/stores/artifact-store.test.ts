import { testArtifactStore } from '../../src/testing/suites/artifact-store.ts';
import { artifactDriver } from './in-process-driver.ts';

await testArtifactStore('inProcessStores().artifacts', artifactDriver);
