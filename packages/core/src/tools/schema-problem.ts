/** A problem with its place, such as `items[0].price: must be number`. */
export function describeProblem(path: readonly PropertyKey[], message: string): string {
  let place = '';
  for (const segment of path) {
    const name = String(segment);
    if (/^\d+$/.test(name)) place += `[${name}]`;
    else place += place === '' ? name : `.${name}`;
  }
  return `${place === '' ? 'arguments' : place}: ${message}`;
}
