// Whether the autoencoder works on a picture in one piece or in strips, and where it is then cut.

import { fewestRows, rowsOfStrip } from './strips.ts'

/**
 * Bytes that a picture may take without need: 768x768 in one piece fits, and so does 1024x1024 up to the last level of
 * the decoder of Stable Diffusion.
 */
export const memoryBudget = 1.3 * 2 ** 30

export type VaeTiling = 'auto' | boolean

/** A level after which the autoencoder can be cut, and what that costs in bytes. */
export interface Cut {
  readonly level: number
  /** Rows of features, and how many of them next to an edge depend on what is beyond it. */
  readonly height: number
  readonly reach: number
  /** All features: they stay in memory. */
  readonly features: number
  /** Arena of the part that takes the picture in one piece. */
  readonly piece: () => number
  /** Arena of the part that takes it in strips, by rows of features. */
  readonly strip: (rows: number) => number
}

export interface Tiling {
  readonly level: number
  /** How many strips. */
  readonly count: number
}

/** The fewest strips that fit, or else the smallest ones. */
function stripsFor(cut: Cut): { readonly count: number; readonly bytes: number } | undefined {
  const allowed = (count: number) => rowsOfStrip(cut.height, count, cut.reach) >= fewestRows(cut.reach)
  if (!allowed(2)) return undefined
  const bytesPerRow = cut.strip(cut.height) / cut.height
  for (let count = 2; ; count++) {
    const rows = rowsOfStrip(cut.height, count, cut.reach)
    const last = !allowed(count + 1)
    // Planning takes milliseconds, and memory is nearly in proportion to rows: only what comes close is planned.
    if (!last && cut.features + bytesPerRow * rows > 1.1 * memoryBudget) continue
    const bytes = cut.features + cut.strip(rows)
    if (last || bytes <= memoryBudget) return { count, bytes }
  }
}

/**
 * @param whole arena of the autoencoder on the picture in one piece
 * @param cuts the best first: the first one that keeps to the budget is taken, or else the one that takes least
 */
export function chooseTiling(
  tiling: VaeTiling,
  whole: () => number,
  cuts: readonly Cut[],
): Tiling | undefined {
  if (tiling === false) return undefined
  const inOnePiece = whole()
  if (tiling === 'auto' && inOnePiece <= memoryBudget) return undefined
  let best: (Tiling & { readonly bytes: number }) | undefined
  for (const cut of cuts) {
    const strips = stripsFor(cut)
    if (!strips) continue
    const bytes = Math.max(strips.bytes, cut.features + cut.piece())
    if (!best || bytes < best.bytes) best = { level: cut.level, count: strips.count, bytes }
    if (bytes <= memoryBudget) break
  }
  if (!best || (tiling === 'auto' && best.bytes >= inOnePiece)) return undefined
  return { level: best.level, count: best.count }
}
