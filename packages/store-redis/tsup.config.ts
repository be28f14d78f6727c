import { preset } from '../../tsup.base.ts';

export default preset({ entry: { index: 'src/index.ts' } });
