// How the files of a tokenizer folder are checked, and how they spell an added token. Public types must not lead here, for zod is no
// dependency of who uses tintype.

import * as z from 'zod'
import { type ErrorCode, TintypeError } from '../errors.ts'
import { shorten, show } from '../show.ts'

// All tokens are sought by one pattern: unbounded, it is more than a regular expression can hold or takes minutes to match.
export const content = z.string().min(1).max(256)
export const mostTokens = 4096
export const isShort = (tokens: object) => Object.keys(tokens).length <= mostTokens
export const tooMany = `expected at most ${mostTokens} tokens`

/** An added token as the files spell it. */
export const tokenObject = z.object({
  content,
  normalized: z.boolean().default(false),
  lstrip: z.boolean().optional(),
  rstrip: z.boolean().optional(),
  single_word: z.boolean().optional(),
})
export const listedToken = tokenObject.extend({ id: z.number() })

/**
 * The fields of a file that the schema names.
 *
 * @param mismatch the code for values of other types and sizes; a value that is none of the supported ones is
 * `UNSUPPORTED_MODEL`
 */
export function parseFields<S extends z.ZodType>(
  schema: S,
  json: unknown,
  where: string,
  mismatch: ErrorCode = 'INVALID_CONFIG',
): z.output<S> {
  const result = schema.safeParse(json, { reportInput: true })
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  const unsupported = issue.code === 'invalid_value'
  const got = unsupported ? `, got ${show(issue.input)}` : ''
  throw new TintypeError(
    unsupported ? 'UNSUPPORTED_MODEL' : mismatch,
    `${where}: ${shorten(issue.path.join('.')) || 'top level'}: ${issue.message}${got}.`,
  )
}
