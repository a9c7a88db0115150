// Two-dimensional convolution over NHWC, with what the models put around it.

import {
  type Activation,
  activationParam,
  choice,
  defineOp,
  inPlace,
  input,
  int,
  keepFloat,
  type Numbers,
  optional,
  output,
  type Round,
  weight,
} from '../spec.ts'
import { activate } from './activation.ts'
import { addProducts } from './add-products.ts'
import { measureChannels } from './group-norm.ts'
import { strassenFault } from './linear.ts'

interface NormalizedInput {
  readonly x: Numbers
  readonly mean: Numbers | undefined
  readonly factor: Numbers | undefined
  readonly shift: Numbers | undefined
  readonly inputActivation: Activation
  readonly n: number
  readonly h: number
  readonly w: number
  readonly c: number
}

function normalized({ x, mean, factor, shift, inputActivation, n, h, w, c }: NormalizedInput, round: Round) {
  if (!mean || !factor || !shift) return x
  return Float64Array.from({ length: n * h * w * c }, (_, i) => {
    const at = Math.floor(i / (h * w * c)) * c + (i % c)
    const scaled = round(round(round(x[i]! - mean[at]!) * factor[at]!) + shift[at]!)
    return round(activate(scaled, inputActivation))
  })
}

/** Winograd's algorithm with tiles of 4x4 or of 6x6 pixels. */
export const isWinograd = (algorithm: unknown): boolean =>
  algorithm === 'winograd4' || algorithm === 'winograd6'

export const conv2d = defineOp({
  name: 'conv2d',
  formula:
    'y = f(conv(upsample(g((x - mean) * factor + shift)), w) + bias + rowBias) + residual; upsample repeats each pixel, rowBias is per picture',
  dims: ['n', 'h', 'w', 'c', 'ho', 'wo', 'o', 'kh', 'kw', 'rows'],
  operands: {
    x: input('n', 'h', 'w', 'c'),
    /** A normalisation of x that is applied on the way in: all three, or none. Only for Winograd's algorithm. */
    mean: optional(keepFloat(input('n', 'c'))),
    factor: optional(keepFloat(input('n', 'c'))),
    shift: optional(keepFloat(input('n', 'c'))),
    weight: weight('matrix', 'o', 'c', 'kh', 'kw'),
    bias: optional(weight('vector', 'o')),
    /** (n, o), or (1, o) for all pictures: the time embedding. */
    rowBias: optional(input('rows', 'o')),
    residual: optional(input('n', 'ho', 'wo', 'o')),
    y: inPlace(output('n', 'ho', 'wo', 'o'), 'residual'),
    /** Mean and variance of each channel of y over its pixels: both, or none. Only of Winograd's algorithm, and on the CPU. */
    channelMean: optional(keepFloat(output('n', 'o'))),
    channelVariance: optional(keepFloat(output('n', 'o'))),
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
    /** What follows the normalisation of x. */
    inputActivation: activationParam,
    /**
     * How a kernel may compute it; `winograd4` and `winograd6`, F(4x4, 3x3) and F(6x6, 3x3), are for 3x3 kernels of stride 1, the
     * first also of stride 2; for enlarged pictures the second has tiles of their own. `strassen` is for a product of matrices that
     * `linear` has it for. They round differently. `contraction` is for 1x1 kernels of stride 1 with at most half as many channels
     * out as in: y may begin where x does.
     */
    algorithm: choice('ConvAlgorithm', ['direct', 'winograd4', 'winograd6', 'strassen', 'contraction']),
  },
  overwrites: ({ algorithm }) => (algorithm === 'contraction' ? 'x' : undefined),
  check({
    n,
    h,
    w,
    ho,
    wo,
    c,
    o,
    kh,
    kw,
    rows,
    stride,
    padTop,
    padLeft,
    padBottom,
    padRight,
    upsample,
    algorithm,
  }) {
    const high = Math.floor((h * upsample + padTop + padBottom - kh) / stride) + 1
    const wide = Math.floor((w * upsample + padLeft + padRight - kw) / stride) + 1
    if (ho !== high || wo !== wide) return `output is ${ho}x${wo}, expected ${high}x${wide}`
    if (rows !== 1 && rows !== n) return `rowBias has ${rows} rows, expected 1 or ${n}`
    if (upsample !== 1 && upsample !== 2) return `upsample is ${upsample}, expected 1 or 2`
    const strides = algorithm === 'winograd4' ? 2 : 1
    if (isWinograd(algorithm) && !(kh === 3 && kw === 3 && stride <= strides)) {
      const allowed = strides === 2 ? '1 or 2' : '1'
      return `${algorithm} is for 3x3 kernels of stride ${allowed}, this one is ${kh}x${kw} of stride ${stride}`
    }
    if (algorithm === 'contraction') {
      const pointwise = kh === 1 && kw === 1 && ho === h && wo === w && stride === 1 && upsample === 1
      if (!pointwise) return 'a contraction keeps the size of the map and looks at single pixels'
      if (2 * o > c) return `a contraction of ${c} channels has at most half as many, not ${o}`
      if (rows !== 1) return 'a contraction has the same rowBias for all pictures'
    }
    return algorithm === 'strassen' ? strassenFault(o, c * kh * kw) : undefined
  },
  reference(args, round) {
    const { weight, bias, rowBias, residual, y, n, h, w, c, ho, wo, o, kh, kw, rows } = args
    const { stride, padTop, padLeft, upsample, activation } = args
    const x = normalized(args, round)
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
            const pixel = { of: x, first: row, stride: 1 }
            const taps = { of: weight, first: (j * c * kh + ky) * kw + kx, stride: kh * kw }
            sum = addProducts(sum, { a: pixel, b: taps, count: c }, round)
          }
        }
        if (bias) sum = round(sum + bias[j]!)
        if (rowBias) sum = round(sum + rowBias[(rows === 1 ? 0 : picture) * o + j]!)
        sum = round(activate(sum, activation))
        if (residual) sum = round(sum + residual[out * o + j]!)
        y[out * o + j] = sum
      }
    }
    measureChannels(
      { x: y, mean: args.channelMean, variance: args.channelVariance, n, hw: ho * wo, c: o },
      round,
    )
  },
})
