// Median and spread of repeated measurements.

export interface Summary {
  readonly runs: number
  readonly median: number
  /** Quartiles by linear interpolation: half of the runs lie between them. */
  readonly lower: number
  readonly upper: number
  readonly min: number
  readonly max: number
}

/** The value below which a share of the sorted samples lies, interpolated linearly. */
function quantile(sorted: readonly number[], share: number): number {
  const position = share * (sorted.length - 1)
  const below = Math.floor(position)
  const above = Math.min(below + 1, sorted.length - 1)
  return sorted[below]! + (position - below) * (sorted[above]! - sorted[below]!)
}

/** @throws RangeError for no samples: there is no median of nothing */
export function summarize(samples: readonly number[]): Summary {
  if (samples.length === 0) throw new RangeError('summarize() takes at least one sample.')
  const sorted = samples.toSorted((a, b) => a - b)
  return {
    runs: sorted.length,
    median: quantile(sorted, 0.5),
    lower: quantile(sorted, 0.25),
    upper: quantile(sorted, 0.75),
    min: sorted[0]!,
    max: sorted.at(-1)!,
  }
}

/** ||a - b|| / ||b||; NaN where anything is NaN, so that wrong numbers cannot pass for right ones. */
export function relativeL2(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Number.NaN
  let difference = 0
  let norm = 0
  for (let i = 0; i < a.length; i++) {
    difference += (a[i]! - b[i]!) ** 2
    norm += b[i]! ** 2
  }
  return Math.sqrt(difference / norm)
}
