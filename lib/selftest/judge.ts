// When a kernel is as exact as it must be: at most twice as far from the float64 result as the naive path of the same
// precision, which computes in float32 and stores what the device stores; where sums are less than that, with what they lose.

type Numbers = ArrayLike<number>

export interface Judgement {
  /** What is wrong, if anything. */
  readonly wrong: string | undefined
  /** The largest error, and what it may be. */
  readonly error: number
  readonly limit: number
  /** The error over what it may be, in the mean or at most, whichever is worse: above 1 is wrong. */
  readonly share: number
}

/**
 * Judges a result. The RMS error may be twice the naive one; maxima are draws from long tails, of a few
 * elements by luck small ones: 4 times the naive maximum or 10 times its RMS may be. Both have a floor for what float32
 * arithmetic loses in a few steps: 2^-23 of the RMS, 2^-22 of the largest. What the type of the result cannot hold must
 * be infinite, and NaN be where the truth has it.
 */
export function judge(
  y: Numbers,
  truth: Float64Array,
  naive: Numbers,
  {
    store,
    allowance,
    sumLoss = 0,
  }: {
    readonly store: (value: number) => number
    readonly allowance: number
    /** What the sums of the kernel lose, as a share of the RMS of the result (fast-sums.ts). */
    readonly sumLoss?: number
  },
): Judgement {
  const finite = [...truth.keys()].filter((i) => Number.isFinite(store(truth[i]!)))
  const rms = (f: (i: number) => number) =>
    Math.sqrt(finite.reduce((sum, i) => sum + f(i) ** 2, 0) / Math.max(finite.length, 1))
  const largest = (f: (i: number) => number) => finite.reduce((most, i) => Math.max(most, f(i)), 0)
  const error = (i: number) => {
    const difference = Math.abs(y[i]! - truth[i]!)
    return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference
  }
  const naiveError = (i: number) => Math.abs(naive[i]! - truth[i]!)
  const size = (i: number) => Math.abs(truth[i]!)
  // Errors that have nothing to do with each other.
  const [naiveRms, naiveMost] = [rms, largest].map((of) =>
    Math.hypot(of(naiveError), sumLoss * of(size)),
  ) as [number, number]

  const limit = Math.max(4 * naiveMost, 10 * naiveRms) * allowance + largest(size) * 2 ** -22
  const rmsLimit = 2 * allowance * naiveRms + rms(size) * 2 ** -23
  const isWrong = (i: number) => {
    const stored = store(truth[i]!)
    return Number.isFinite(stored) ? error(i) > limit : !Object.is(y[i], stored)
  }
  const wrong = [...truth.keys()].filter(isWrong)
  const share =
    wrong.length > 0 ? Infinity : Math.max(ratio(largest(error), limit), ratio(rms(error), rmsLimit))
  const figures = { error: largest(error), limit, share }
  if (wrong.length === 0 && !(rms(error) > rmsLimit)) return { ...figures, wrong: undefined }
  const order = wrong.length > 0 ? wrong : finite.toSorted((i, j) => error(j) - error(i))
  const pairs = order.slice(0, 5).map((i) => `  [${i}] ${y[i]}, expected ${truth[i]}`)
  const message =
    `max error ${largest(error)}, allowed ${limit} (naive makes ${naiveMost}); ` +
    `rms error ${rms(error)}, allowed ${rmsLimit} (naive makes ${naiveRms}); ` +
    `${wrong.length} of ${truth.length} wrong\n${pairs.join('\n')}`
  return { ...figures, wrong: message }
}

/** Nothing of nothing is nothing. */
const ratio = (error: number, limit: number) => (error === 0 ? 0 : error / limit)
