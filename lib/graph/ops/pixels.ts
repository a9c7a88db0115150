// Between latents or float pixels and what users see: sampling, scaling, rounding to bytes.

import { defineOp, float, input, inputOf, keepFloat, optional, output, outputOf } from '../spec.ts'

/** Rounds to the nearest integer, halves to even, as IEEE 754 hardware does. */
function roundHalfEven(x: number): number {
  const down = Math.floor(x)
  const rest = x - down
  if (rest !== 0.5) return Math.round(x)
  return down % 2 === 0 ? down : down + 1
}

export const toPixels = defineOp({
  name: 'toPixels',
  formula: 'y = round(255 * clamp(x / 2 + 1/2, 0, 1)), halves to even, NaN gives 0',
  dims: ['count'],
  operands: { x: input('count'), y: outputOf('u8', 'count') },
  params: {},
  reference({ x, y, count }, round) {
    for (let i = 0; i < count; i++) {
      const unit = Math.min(1, Math.max(0, round(x[i]! / 2 + 0.5)))
      y[i] = Number.isNaN(unit) ? 0 : roundHalfEven(round(unit * 255))
    }
  },
})

export const fromPixels = defineOp({
  name: 'fromPixels',
  formula: 'y = x / 127.5 - 1',
  dims: ['count'],
  operands: { x: inputOf('u8', 'count'), y: output('count') },
  params: {},
  reference({ x, y, count }, round) {
    for (let i = 0; i < count; i++) y[i] = round(round(x[i]! / 127.5) - 1)
  },
})

export const sampleGaussian = defineOp({
  name: 'sampleGaussian',
  formula:
    'y = factor * (mean + exp(clamp(logvar, -30, 20) / 2) * noise); a row of moments is [mean, logvar]',
  dims: ['m', 'c', 'c2'],
  operands: {
    moments: input('m', 'c2'),
    noise: optional(keepFloat(input('m', 'c'))),
    y: keepFloat(output('m', 'c')),
  },
  params: { factor: float },
  check: ({ c, c2 }) => (c2 === 2 * c ? undefined : `moments have ${c2} channels, expected ${2 * c}`),
  reference({ moments, noise, y, m, c, c2, factor }, round) {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < c; j++) {
        const logvar = Math.min(20, Math.max(-30, moments[i * c2 + c + j]!))
        const spread = noise ? round(round(Math.exp(round(logvar / 2))) * noise[i * c + j]!) : 0
        y[i * c + j] = round(round(moments[i * c2 + j]! + spread) * factor)
      }
    }
  },
})
