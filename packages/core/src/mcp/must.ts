/** What the developer gave has to hold, or the error names the field. */
export function must(holds: unknown, field: string, rule: string): void {
  if (!holds) throw new TypeError(`${field} must be ${rule}`);
}
