// Whether the autoencoder works on a picture in one piece or in strips, where it is then cut, and what it keeps.

import type { StripPlan, StripPlanner } from './strip-plan.ts'

/**
 * Bytes that a picture may take without need: 896x896 in one piece fits, and so does 1024x1024 up to the last level of
 * the decoder of Stable Diffusion.
 */
export const memoryBudget = 1.3 * 2 ** 30

export type VaeTiling = 'auto' | boolean

/** A level after which the autoencoder can be cut, and what that takes. */
export interface Cut {
  readonly level: number
  /** The part that takes the picture in one piece. */
  readonly piece: () => {
    readonly products: number
    /** Bytes in memory while it runs, by those of all maps of the other part. */
    readonly bytes: (maps: number) => number
  }
  /** The part that takes it in strips. */
  readonly strips: () => StripPlanner
}

export interface Tiling {
  readonly level: number
  readonly plan: StripPlan
}

/** Numbers of strips that are tried: enough to come near the best, and few since each is planned. */
const counts = [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128]

/** Stops at which maps are kept: at all norms, then without the largest ones, and so on until none is left. */
export function keptStops(norms: readonly number[]): number[][] {
  const limits = [...new Set(norms)].sort((a, b) => b - a)
  return [...limits, -1].map((limit) => norms.flatMap((bytes, i) => (bytes <= limit ? [i + 1] : [])))
}

interface Choice extends Tiling {
  readonly bytes: number
  readonly products: number
  /** Nothing is computed twice but rows where strips overlap, so that no other cut is better. */
  readonly keepsAll: boolean
}

/** The most maps that there is room for, in the fewest strips, or else what takes least. */
function stripsFor({ level, piece, strips }: Cut): Choice | undefined {
  const { norms, plan } = strips()
  const { products, bytes } = piece()
  // What the other part takes anyway may be used here too.
  const room = Math.max(memoryBudget, bytes(0))
  let least: Choice | undefined
  for (const kept of keptStops(norms)) {
    if (kept.some((stop) => norms[stop - 1]! > room)) continue
    let last = Number.POSITIVE_INFINITY
    for (const count of counts) {
      const planned = plan(count, kept)
      if (!planned) break
      const choice = {
        ...{ level, plan: planned.plan, products: products + planned.products },
        ...{
          bytes: Math.max(planned.bytes, bytes(planned.mapBytes)),
          keepsAll: kept.length > 0 && kept.length === norms.length,
        },
      }
      if (choice.bytes <= room) return choice
      if (!least || choice.bytes < least.bytes) least = choice
      // More strips have smaller arenas and larger overlaps: these outweigh those from here on.
      if (choice.bytes > last) break
      last = choice.bytes
    }
  }
  return least
}

/** Less work where both keep to the budget, or else less memory. */
function better(a: Choice, b: Choice): boolean {
  if (a.bytes <= memoryBudget && b.bytes <= memoryBudget) return a.products < b.products
  return a.bytes < b.bytes
}

/**
 * @param whole arena of the autoencoder on the picture in one piece
 * @param cuts those with the smallest part in strips first
 */
export function chooseTiling(
  tiling: VaeTiling,
  whole: () => number,
  cuts: readonly Cut[],
): Tiling | undefined {
  if (tiling === false) return undefined
  const inOnePiece = whole()
  if (tiling === 'auto' && inOnePiece <= memoryBudget) return undefined
  let best: Choice | undefined
  for (const cut of cuts) {
    const choice = stripsFor(cut)
    if (choice && (!best || better(choice, best))) best = choice
    if (best?.keepsAll && best.bytes <= memoryBudget) break
  }
  if (!best || (tiling === 'auto' && best.bytes >= inOnePiece)) return undefined
  return { level: best.level, plan: best.plan }
}
