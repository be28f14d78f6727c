/**
 * Changes what a tool said before it is stored, shown and given to the model, such as taking out personal data.
 * Must not throw; when it does, the result is withheld.
 *
 * @example
 * ```ts
 * import type { Masking } from '@steward/core';
 *
 * const masking: Masking = (text) => text.replaceAll(/\b\d{16}\b/g, '[card]');
 * ```
 */
export type Masking = (
  text: string,
  context: { readonly tool: string },
) => string | Promise<string>;

/** The default: nothing is masked. */
export const noMasking: Masking = (text) => text;
