// The options of the evaluation, checked.

import { parseArgs } from 'node:util'
import { defaultModelFolder, TintypeError } from '../../../lib/index.ts'
import { suggestion } from '../../../lib/nearest.ts'

export interface EvaluationOptions {
  /** Folder of the model. */
  readonly model: string
  /** As load() takes it: what quality is lost where memory is won. */
  readonly precision: 'int8' | 'bf16' | undefined
  /** Left out: what the model's tintype.json says. */
  readonly guidance: number | undefined
  readonly steps: number | undefined
  /** As generate() takes them: what quality is lost where speed is won. */
  readonly guidanceInterval: readonly [number, number] | undefined
  readonly cacheInterval: number | undefined
  readonly tokenMerging: number | undefined
  /** Originals to encode and decode. */
  readonly pictures: number
  /** Names to paint once. */
  readonly names: number
  /** Held-out pairs of object and colour to paint. */
  readonly pairs: number
  /** Names to paint with eight seeds. */
  readonly prompts: number
}

const flags = [
  ...([
    'model',
    'precision',
    'guidance',
    'guidance-interval',
    'cache-interval',
    'token-merging',
    'steps',
  ] as const),
  ...(['pictures', 'names', 'pairs', 'prompts'] as const),
]
type Flag = (typeof flags)[number]

function numberOf(flag: Flag, given: string, accepts: (value: number) => boolean, expected: string): number {
  const value = Number(given)
  if (given.trim() !== '' && accepts(value)) return value
  throw new TintypeError('INVALID_ARGUMENT', `--${flag} must be ${expected}, got "${given}".`)
}

const count = (flag: Flag, given: string, most: number) =>
  numberOf(
    flag,
    given,
    (value) => Number.isInteger(value) && value >= 1 && value <= most,
    `an integer from 1 to ${most}`,
  )

function precisionOfCpu(flag: Flag, given: string): 'int8' | 'bf16' {
  if (given === 'int8' || given === 'bf16') return given
  throw new TintypeError('INVALID_ARGUMENT', `--${flag} must be int8 or bf16, got "${given}".`)
}

/** `0.2,0.8`: two shares of the run. */
function interval(flag: Flag, given: string): readonly [number, number] {
  const expected = 'two numbers from 0 to 1 such as 0.2,0.8'
  const [from, to, ...rest] = given.split(',')
  const share = (text: string) => numberOf(flag, text, (value) => value >= 0 && value <= 1, expected)
  return [share(from!), share(rest.length > 0 ? '' : (to ?? ''))]
}

/**
 * The options of a command line; `originals` and `pairs` say how many of each there are.
 *
 * @throws TintypeError `UNKNOWN_OPTION`, `INVALID_ARGUMENT`
 */
export function parseOptions(
  args: readonly string[],
  { originals, pairs }: { readonly originals: number; readonly pairs: number },
): EvaluationOptions {
  const { values, tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(flags.map((flag) => [flag, { type: 'string' as const }])),
    strict: false,
    tokens: true,
  })
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue
    const name = token.kind === 'option' ? token.name : token.value
    if (token.kind === 'positional' || !flags.includes(name as Flag)) {
      throw new TintypeError('UNKNOWN_OPTION', `There is no option "${name}".`, {
        advice: suggestion(name, flags),
      })
    }
    if (token.value === undefined) {
      throw new TintypeError('INVALID_ARGUMENT', `--${name} needs a value.`)
    }
  }
  const given = values as Partial<Record<Flag, string>>
  return {
    model: given.model ?? defaultModelFolder,
    precision: given.precision === undefined ? undefined : precisionOfCpu('precision', given.precision),
    guidance:
      given.guidance === undefined
        ? undefined
        : numberOf('guidance', given.guidance, (value) => value >= 0 && value <= 1000, 'from 0 to 1000'),
    guidanceInterval:
      given['guidance-interval'] === undefined
        ? undefined
        : interval('guidance-interval', given['guidance-interval']),
    cacheInterval:
      given['cache-interval'] === undefined
        ? undefined
        : count('cache-interval', given['cache-interval'], 1000),
    tokenMerging:
      given['token-merging'] === undefined
        ? undefined
        : numberOf(
            'token-merging',
            given['token-merging'],
            (value) => value >= 0 && value <= 0.75,
            'from 0 to 0.75',
          ),
    steps: given.steps === undefined ? undefined : count('steps', given.steps, 1000),
    pictures: count('pictures', given.pictures ?? `${originals}`, originals),
    names: count('names', given.names ?? '200', originals),
    pairs: count('pairs', given.pairs ?? '100', pairs),
    prompts: count('prompts', given.prompts ?? '8', originals),
  }
}
