// A convolution of an enlarged picture, by as many products as the pixels that it meets (sum-taps.ts).

import { activationParam, defineOp, input, optional, output, weight } from '../spec.ts'
import { conv2d } from './conv2d.ts'

/** Channels of GPUs' kernels come in vectors. */
export const quarteredChannels = 8

export const upsampleConv2d = defineOp({
  name: 'upsampleConv2d',
  formula: 'y = f(conv(upsample(x), w) + bias); upsample repeats each pixel, and pads are 1',
  dims: ['n', 'h', 'w', 'c', 'ho', 'wo', 'o', 'kh', 'kw'],
  operands: {
    x: input('n', 'h', 'w', 'c'),
    weight: weight('quartered', 'o', 'c', 'kh', 'kw'),
    bias: optional(weight('vector', 'o')),
    y: output('n', 'ho', 'wo', 'o'),
  },
  params: { activation: activationParam },
  check({ h, w, c, ho, wo, kh, kw }) {
    if (ho !== 2 * h || wo !== 2 * w) return `output is ${ho}x${wo}, expected ${2 * h}x${2 * w}`
    if (kh !== 3 || kw !== 3) return `the kernel is ${kh}x${kw}, expected 3x3`
    if (c % quarteredChannels === 0) return undefined
    return `${c} channels, expected a multiple of ${quarteredChannels}`
  },
  reference(args, round) {
    const none = { mean: undefined, factor: undefined, shift: undefined, rowBias: undefined }
    const unmeasured = { residual: undefined, channelMean: undefined, channelVariance: undefined }
    const pads = { padTop: 1, padLeft: 1, padBottom: 1, padRight: 1 }
    const rest = { rows: 1, stride: 1, upsample: 2, inputActivation: 'none', algorithm: 'direct' } as const
    conv2d.reference({ ...args, ...none, ...unmeasured, ...pads, ...rest }, round)
  },
})
