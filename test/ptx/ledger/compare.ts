// What has become worse or better since the ledger was written.

import { type Entry, flatten, type Ledger } from './ledger.ts'

/** Changes that are no more than this are noise of the compiler. */
const tolerance = 0.05

/** All other figures are costs. */
const gains: ReadonlySet<string> = new Set(['occupancy'])

export interface Comparison {
  readonly worse: readonly string[]
  readonly better: readonly string[]
}

const keyOf = ({ subject, target, figure }: Entry) => `${subject} on ${target}: ${figure}`

/** Each change as a sentence that names the kernel, the target, the figure, and both values. */
export function compare(known: Omit<Ledger, 'compiler'>, now: Omit<Ledger, 'compiler'>): Comparison {
  const before = new Map(flatten(known).map((entry) => [keyOf(entry), entry]))
  const after = new Map(flatten(now).map((entry) => [keyOf(entry), entry]))
  const worse: string[] = []
  const better: string[] = []
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const entry = (after.get(key) ?? before.get(key))!
    const [old, value] = [before.get(key)?.value ?? 0, after.get(key)?.value ?? 0]
    if (Math.abs(value - old) <= tolerance * old) continue
    const grew = value > old
    ;(grew === gains.has(entry.figure) ? better : worse).push(`${key} was ${old}, is ${value}`)
  }
  return { worse, better }
}
