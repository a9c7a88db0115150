// The training timesteps that a run visits, from noisy to clean.

import type { TimestepSpacing } from './contract.ts'

/** numpy's `round`: halves go to the even neighbour. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x)
  const rest = x - floor
  if (rest !== 0.5) return Math.round(x)
  return floor % 2 === 0 ? floor : floor + 1
}

/** numpy's `linspace`, ends included; one point is the start. */
export function linspace(start: number, end: number, count: number): number[] {
  const step = (end - start) / (count - 1)
  return Array.from({ length: count }, (_, i) => (i === 0 ? start : i === count - 1 ? end : start + i * step))
}

/** `total / steps` apart, down from `from`, as numpy's `arange(from, 0, -total / steps)` with its rounding. */
export function trailingTimesteps(from: number, total: number, steps: number): number[] {
  const ratio = total / steps
  const step = from - ratio - from
  const count = Math.min(Math.ceil(from / ratio), steps)
  return Array.from({ length: count }, (_, i) => roundHalfEven(from + i * step) - 1)
}

/** Multiples of `ratio`, the last of which is `offset`. */
export function leadingTimesteps(ratio: number, offset: number, steps: number): number[] {
  return Array.from({ length: steps }, (_, i) => (steps - 1 - i) * ratio + offset)
}

/**
 * The timesteps of DDIM and the Euler samplers (arXiv:2305.08891, table 2), where `linspace` is left fractional.
 * DPM-Solver of diffusers spreads its own differently, see dpmpp-2m.ts.
 */
export function spreadTimesteps(
  spacing: TimestepSpacing,
  { total, steps, offset }: { readonly total: number; readonly steps: number; readonly offset: number },
): number[] {
  switch (spacing) {
    case 'linspace':
      return linspace(0, total - 1, steps).reverse()
    case 'leading':
      return leadingTimesteps(Math.floor(total / steps), offset, steps)
    case 'trailing':
      return trailingTimesteps(total, total, steps)
  }
}
