/** Words that say nothing about what is wanted. */
const stopWords = new Set(
  (
    'a an the this that these those it its is are was be been do does did done have has had can could will would ' +
    'shall should may might must please thanks thank you your i me my mine we us our he she they them to of in on at ' +
    'for from by with about as into and or not no if so then than there here what which who whom whose how why when ' +
    'where any some all just now need want like let lets tell give hi hello hey ok okay yes too also very using use ' +
    'used run only when will get got'
  ).split(' '),
);

/** Groups of words that people use for each other when they ask for something. */
const synonymGroups = [
  'email mail',
  'directory folder file',
  'list show display enumerate',
  'read open show view display content print look summarise summarize',
  'write save store create',
  'create make new add',
  'delete remove erase drop',
  'search find look locate',
  'send post deliver mail',
  'solve calculate compute evaluate',
  'fetch retrieve lookup load',
  'move rename',
  'edit change update modify replace',
  'calculate compute math evaluate arithmetic calculator calculation',
  'weather forecast',
  'time clock hour',
  'file document',
  'note memo reminder remember remind',
  'task todo',
  'info information detail metadata size big large',
  'user person account',
].map((group) => group.split(' '));

/** The texts's words: lower case, compounds (`sendEmail`, `read_file`) taken apart, in order. */
export function wordsOf(text: string): string[] {
  const apart = text.replace(/\be-?mails?\b/giu, 'email').replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2');
  return apart.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** The stems of the words that mean something, each once. */
export function stemsOf(text: string): Set<string> {
  const meant = wordsOf(text).filter((word) => word.length > 1 && !stopWords.has(word));
  return new Set(meant.map(stem));
}

/** A tool's name without the server in front. */
export function shortName(tool: string): string {
  return tool.split('__').at(-1) ?? tool;
}

/** Whether a word says nothing about what is wanted. */
export function isStopWord(word: string): boolean {
  return stopWords.has(word.toLowerCase());
}

/** A word without its ending: files, file; listing, list. */
export function stem(word: string): string {
  if (word.length < 4) return word;
  const single = word.replace(/ies$/, 'y').replace(/([^s])s$/, '$1');
  const bare =
    single.length > 5 ? single.replace(/(?:ing|ed)$/, '').replace(/([^l])\1$/, '$1') : single;
  return bare.length > 3 ? bare.replace(/e$/, '') : bare;
}

const groupsOf = new Map<string, Set<number>>();
for (const [index, group] of synonymGroups.entries()) {
  for (const word of group) {
    const groups = groupsOf.get(stem(word)) ?? new Set();
    groupsOf.set(stem(word), groups.add(index));
  }
}

/** How near two stems are: 1 the same, 0 nothing in common. */
export function likeness(a: string, b: string): number {
  if (a === b) return 1;
  const groups = groupsOf.get(b);
  if (groups && [...(groupsOf.get(a) ?? [])].some((group) => groups.has(group))) return 0.7;
  const shorter = Math.min(a.length, b.length);
  return shorter >= 5 && a.slice(0, shorter) === b.slice(0, shorter) ? 0.7 : 0;
}
