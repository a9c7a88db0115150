// Options by themselves: each has a rule, and one that breaks it or has none is refused with a sentence that helps.

import { TintypeError } from './errors.ts'
import { suggestion } from './nearest.ts'
import { shorten, showArgument } from './show.ts'

/** A schema of zod, which public types must not name: it is no dependency of who uses tintype. */
interface Rule {
  /** What is expected, word for word as errors tell it. */
  readonly description?: string | undefined
  safeParse(value: unknown): { readonly success: boolean }
}

/** By the name of an option. */
export type Rules = Readonly<Record<string, Rule>>

/** Whose options they are. */
export interface Call {
  /** Such as `load()`. */
  readonly caller: string
  /** Such as `{ threads: 4 }`. */
  readonly example: string
  /** What other programs call an option, without case and underscores. */
  readonly aliases?: ReadonlyMap<string, string>
  /** Options of another call, which some give to this one. */
  readonly elsewhere?: { readonly caller: string; readonly names: readonly string[] }
}

export const invalid = (message: string, advice?: string) =>
  new TintypeError('INVALID_ARGUMENT', message, advice === undefined ? {} : { advice })

/**
 * Names, types and ranges of options.
 *
 * @throws TintypeError `UNKNOWN_OPTION` with the nearest name, `INVALID_ARGUMENT` with what was expected and what came
 */
export function checkOptions(
  given: unknown,
  rules: Rules,
  { caller, example, aliases, elsewhere }: Call,
): asserts given is Readonly<Record<string, unknown>> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw invalid(`${caller} takes an object of options, got ${showArgument(given)}.`, `Example: ${example}.`)
  }
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(rules, name)) {
      const alias = aliases?.get(name.replaceAll('_', '').toLowerCase())
      throw new TintypeError('UNKNOWN_OPTION', `There is no option ${JSON.stringify(shorten(name))}.`, {
        advice: elsewhere?.names.includes(name)
          ? `It is one of ${elsewhere.caller}.`
          : suggestion(alias ?? name, Object.keys(rules)),
      })
    }
    const rule = rules[name]!
    if (value !== undefined && !rule.safeParse(value).success) {
      throw invalid(`Option ${name} must be ${rule.description}, got ${showArgument(value)}.`)
    }
  }
}
