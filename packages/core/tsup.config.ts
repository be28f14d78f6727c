import { preset } from '../../tsup.base.ts';

export default preset({
  entry: { index: 'src/index.ts', 'testing/index': 'src/testing/index.ts' },
});
