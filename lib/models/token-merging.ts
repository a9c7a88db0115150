// Where the UNet merges tokens, and how many of them (Bolya and Hoffman, "Token Merging for Fast Stable Diffusion", 2023).

import { windowsOf } from '../graph/ops/token-merging.ts'
import type { Tensor } from '../tensor/trace.ts'
import type { UnetConfig } from './configs.ts'

export interface TokenMerging {
  /** Of the tokens, what is merged into others: above 0, at most 0.75. */
  readonly share: number
  /** Which corner, 0 to 3 by rows, each window of 2x2 tokens keeps: (windows), integers. */
  readonly corners: Tensor
}

/** Tokens of a map by rows, or latents. */
export interface MapSize {
  readonly height: number
  readonly width: number
}

/**
 * The level with the largest maps that have self-attention, counted from the size of the latents down: there it costs
 * most by far, and merging loses least. Undefined for a model that has attention in its middle alone.
 */
export function mergedLevel({ down }: Pick<UnetConfig, 'down'>): number | undefined {
  const level = down.findIndex(({ attention }) => attention)
  return level < 0 ? undefined : level
}

/** The maps of that level for latents of a size: each level halves it, rounded up. */
export function mergedMap(config: Pick<UnetConfig, 'down'>, { height, width }: MapSize): MapSize {
  const scale = 2 ** (mergedLevel(config) ?? 0)
  return { height: Math.ceil(height / scale), width: Math.ceil(width / scale) }
}

/** How many windows of 2x2 tokens such a map has. */
export function mergedWindows(config: Pick<UnetConfig, 'down'>, latents: MapSize): number {
  const { height, width } = mergedMap(config, latents)
  return windowsOf(height, width)
}

/** How many tokens of a map are left: a share is merged, rounded down, but one in each window stays. */
export function keptTokens({ height, width }: MapSize, share: number): number {
  const tokens = height * width
  return Math.max(tokens - Math.floor(share * tokens), windowsOf(height, width))
}
