/** What the developer gave has to hold, or the error names the field. */
export function must(holds: unknown, field: string, rule: string): void {
  if (!holds) throw new TypeError(`${field} must be ${rule}`);
}

/** Whether a value is an array of texts, or not there. */
export function isTextArray(value: unknown): boolean {
  if (value === undefined) return true;
  return Array.isArray(value) && value.every((member) => typeof member === 'string');
}
