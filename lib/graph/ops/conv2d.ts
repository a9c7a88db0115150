// Two-dimensional convolution over NHWC, with what the models put around it.

import { activationParam, defineOp, inPlace, input, int, optional, output, weight } from '../spec.ts'
import { activate } from './activation.ts'

export const conv2d = defineOp({
  name: 'conv2d',
  formula:
    'y = f(conv(upsample(x), w) + bias + rowBias) + residual; upsample repeats each pixel, rowBias is per picture',
  dims: ['n', 'h', 'w', 'c', 'ho', 'wo', 'o', 'kh', 'kw', 'rows'],
  operands: {
    x: input('n', 'h', 'w', 'c'),
    weight: weight('matrix', 'o', 'c', 'kh', 'kw'),
    bias: optional(weight('vector', 'o')),
    /** (n, o), or (1, o) for all pictures: the time embedding. */
    rowBias: optional(input('rows', 'o')),
    residual: optional(input('n', 'ho', 'wo', 'o')),
    y: inPlace(output('n', 'ho', 'wo', 'o'), 'residual'),
  },
  params: {
    stride: int(1),
    padTop: int(),
    padLeft: int(),
    padBottom: int(),
    padRight: int(),
    /** Nearest-neighbour enlargement before the convolution: 1 (none) or 2. */
    upsample: int(1),
    activation: activationParam,
  },
  check({ n, h, w, ho, wo, kh, kw, rows, stride, padTop, padLeft, padBottom, padRight, upsample }) {
    const high = Math.floor((h * upsample + padTop + padBottom - kh) / stride) + 1
    const wide = Math.floor((w * upsample + padLeft + padRight - kw) / stride) + 1
    if (ho !== high || wo !== wide) return `output is ${ho}x${wo}, expected ${high}x${wide}`
    if (rows !== 1 && rows !== n) return `rowBias has ${rows} rows, expected 1 or ${n}`
    return undefined
  },
  reference(args, round) {
    const { x, weight, bias, rowBias, residual, y, n, h, w, c, ho, wo, o, kh, kw, rows } = args
    const { stride, padTop, padLeft, upsample, activation } = args
    for (let out = 0; out < n * ho * wo; out++) {
      const picture = Math.floor(out / (ho * wo))
      const oy = Math.floor(out / wo) % ho
      const ox = out % wo
      for (let j = 0; j < o; j++) {
        let sum = 0
        for (let ky = 0; ky < kh; ky++) {
          const iy = oy * stride + ky - padTop
          if (iy < 0 || iy >= h * upsample) continue
          for (let kx = 0; kx < kw; kx++) {
            const ix = ox * stride + kx - padLeft
            if (ix < 0 || ix >= w * upsample) continue
            const row = ((picture * h + Math.floor(iy / upsample)) * w + Math.floor(ix / upsample)) * c
            for (let l = 0; l < c; l++) {
              sum = round(sum + round(x[row + l]! * weight[((j * c + l) * kh + ky) * kw + kx]!))
            }
          }
        }
        if (bias) sum = round(sum + bias[j]!)
        if (rowBias) sum = round(sum + rowBias[(rows === 1 ? 0 : picture) * o + j]!)
        sum = round(activate(sum, activation))
        if (residual) sum = round(sum + residual[out * o + j]!)
        y[out * o + j] = sum
      }
    }
  },
})
