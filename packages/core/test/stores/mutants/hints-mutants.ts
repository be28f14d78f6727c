import type { Hints } from '../../../src/stores/hints.ts';
import { inProcessHints } from '../../../src/stores/in-process/in-process-hints.ts';
import { hintsCases } from '../../../src/testing/suites/hints.ts';
import type { PortMutants } from './describe-mutants.ts';

/** Broken implementations of Hints. */
export const hintsMutants: PortMutants<'hints', Hints> = {
  port: 'hints',
  cases: hintsCases,
  mutants: {
    'hints that reach their own process alone': [
      'tells listeners of this process and of others',
      () => inProcessHints(),
      'hangs',
    ],
    'a conversation that is taken for a run': [
      'tells of runs and of conversations, whatever characters their names have',
      (sound) => ({
        tell: (hint) =>
          sound.tell('conversationId' in hint ? { runId: hint.conversationId } : hint),
      }),
      'hangs',
    ],
    'a listener that cannot leave': [
      'tells a listener that left nothing more, and all others everything',
      (sound) => ({
        listen: (listener) => {
          sound.listen(listener);
          return () => {};
        },
      }),
    ],
  },
};
