// Group normalisations of a whole picture from those of its pieces.

/** What normalisations multiply and add, by the names that lib/graph/share-norms.ts gives them. */
export type Norms = Readonly<Record<string, Float32Array>>

/** A piece of the picture; of rows that two pieces share, one more piece takes one share back. */
export interface Piece {
  readonly norms: Norms
  /** Rows, negative to take them back. */
  readonly rows: number
}

/** Next to its square, epsilon is nothing. */
const probeSize = 1024

/** Two pixels of mean 0 and standard deviation `probeSize`. */
export const probe = (channels: number): Float32Array =>
  Float32Array.from({ length: 2 * channels }, (_, i) => (i < channels ? probeSize : -probeSize))

/**
 * Mean and variance over all pieces. A piece gives the variance as factor = gamma / sqrt(variance + epsilon), so that
 * gamma is needed.
 *
 * @param probed the norms of `probe`, in which mean is 0, factor is gamma / `probeSize`, shift is beta
 */
export function poolNorms(pieces: readonly Piece[], probed: Norms): Norms {
  const total = pieces.reduce((sum, { rows }) => sum + rows, 0)
  const pooled: Record<string, Float32Array> = {}
  for (const name of Object.keys(pieces[0]!.norms)) {
    const [norm, part] = [name.slice(0, name.lastIndexOf(' ') + 1), name.slice(name.lastIndexOf(' ') + 1)]
    if (part !== 'mean') continue
    const of = (norms: Norms) => (which: string, i: number) => norms[norm + which]![i]!
    const weighed = pieces.map(({ norms, rows }) => ({ at: of(norms), share: rows / total }))
    const own = of(probed)
    const channels = probed[name]!.length
    const [mean, factor, shift] = [0, 1, 2].map(() => new Float32Array(channels)) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ]
    for (let i = 0; i < channels; i++) {
      const gamma = own('factor', i) * probeSize
      let exactMean = 0
      for (const { at, share } of weighed) exactMean += share * at('mean', i)
      let variance = 0
      for (const { at, share } of weighed) {
        const inside = (gamma / at('factor', i)) ** 2
        variance += share * (inside + (at('mean', i) - exactMean) ** 2)
      }
      mean[i] = exactMean
      // A gamma of 0 has no variance to tell, and needs none.
      factor[i] = gamma === 0 ? 0 : gamma / Math.sqrt(variance)
      shift[i] = own('shift', i) + (mean[i]! - exactMean) * factor[i]!
    }
    pooled[`${norm}mean`] = mean
    pooled[`${norm}factor`] = factor
    pooled[`${norm}shift`] = shift
  }
  return pooled
}
