// Steward loads these when they are first needed. Tests that count time must not depend on how long that takes.
import '../src/run/person-verbs.ts';
import '../src/run/run-loop.ts';
import '../src/run/run-result.ts';
import '../src/stores/in-process/run-verbs.ts';
