// The result of a generation, with a form of it for JSON.

import type { GenerateResult } from './types.ts'

/** JSON has no integers of 64 bits, and lists of millions of numbers are not what anybody wants in it. */
function toJSON(this: GenerateResult): object {
  const { images, latentsShape, seed, timings, warnings } = this
  return { images, latentsShape, seed: String(seed), timings, warnings }
}

/** A result that JSON.stringify takes; the method does not show in listings and comparisons of its fields. */
export const withJson = (result: GenerateResult): GenerateResult =>
  Object.defineProperty(result, 'toJSON', { value: toJSON })
