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
  const stored = truth.map(store)
  const error = (i: number) => {
    const difference = Math.abs(y[i]! - truth[i]!)
    return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference
  }
  const ofKernel = new Spread()
  const ofNaive = new Spread()
  const ofTruth = new Spread()
  for (let i = 0; i < truth.length; i++) {
    if (!Number.isFinite(stored[i]!)) continue
    ofKernel.add(error(i))
    ofNaive.add(Math.abs(naive[i]! - truth[i]!))
    ofTruth.add(Math.abs(truth[i]!))
  }
  // Errors that have nothing to do with each other.
  const naiveRms = Math.hypot(ofNaive.rms, sumLoss * ofTruth.rms)
  const naiveMost = Math.hypot(ofNaive.largest, sumLoss * ofTruth.largest)

  const limit = Math.max(4 * naiveMost, 10 * naiveRms) * allowance + ofTruth.largest * 2 ** -22
  const rmsLimit = 2 * allowance * naiveRms + ofTruth.rms * 2 ** -23
  const wrong: number[] = []
  for (let i = 0; i < truth.length; i++) {
    if (Number.isFinite(stored[i]!) ? error(i) > limit : !Object.is(y[i], stored[i])) wrong.push(i)
  }
  const share =
    wrong.length > 0 ? Infinity : Math.max(ratio(ofKernel.largest, limit), ratio(ofKernel.rms, rmsLimit))
  const figures = { error: ofKernel.largest, limit, share }
  if (wrong.length === 0 && !(ofKernel.rms > rmsLimit)) return { ...figures, wrong: undefined }
  const worst = [...truth.keys()].filter((i) => Number.isFinite(stored[i]!))
  const order = wrong.length > 0 ? wrong : worst.sort((i, j) => error(j) - error(i))
  const pairs = order.slice(0, 5).map((i) => `  [${i}] ${y[i]}, expected ${truth[i]}`)
  const message =
    `max error ${ofKernel.largest}, allowed ${limit} (naive makes ${naiveMost}); ` +
    `rms error ${ofKernel.rms}, allowed ${rmsLimit} (naive makes ${naiveRms}); ` +
    `${wrong.length} of ${truth.length} wrong\n${pairs.join('\n')}`
  return { ...figures, wrong: message }
}

/** How large numbers are that are not negative. */
class Spread {
  #count = 0
  #squares = 0
  #largest = 0

  add(value: number): void {
    this.#count++
    this.#squares += value ** 2
    this.#largest = Math.max(this.#largest, value)
  }

  get rms(): number {
    return Math.sqrt(this.#squares / Math.max(this.#count, 1))
  }

  get largest(): number {
    return this.#largest
  }
}

/** Nothing of nothing is nothing. */
const ratio = (error: number, limit: number) => (error === 0 ? 0 : error / limit)
