// Steward loads the run loop with the first run. Tests on a fake clock must not depend on how long that takes.
import '../src/run/run-loop.ts';
