import { describe, expect, it } from 'vitest'
import {
  type ConvolutionOptions,
  chooseConvolutions,
  convolutionCosts,
} from '../../../lib/graph/choose-convolution.ts'
import { fuse } from '../../../lib/graph/fuse.ts'
import { opOf } from '../../../lib/graph/ops.ts'
import { conv } from '../../../lib/selftest/cases/conv2d.ts'
import { conv2d, upsample as enlarge } from '../../../lib/tensor/functional.ts'
import { Trace } from '../../../lib/tensor/trace.ts'

interface Case {
  readonly side: number
  readonly c: number
  readonly o: number
  readonly kernel?: number
  readonly stride?: number
  readonly upsample?: 1 | 2
}

function algorithmOf(
  { side, c, o, kernel = 3, stride = 1, upsample = 1 }: Case,
  options?: ConvolutionOptions,
) {
  const trace = new Trace()
  const x = trace.input('x', 'f32', [1, side, side, c])
  const large = upsample === 1 ? x : enlarge(x, side * upsample, side * upsample)
  const y = conv2d(large, trace.weight('w', [o, c, kernel, kernel]), undefined, {
    padding: (kernel - 1) / 2,
    stride,
  })
  trace.output('y', y)
  return chooseConvolutions(fuse(trace.graph()), options).nodes[0]!.params.algorithm
}

describe('chooseConvolutions', () => {
  it.each([
    { side: 64, c: 320, o: 320 },
    { side: 8, c: 1280, o: 1280 },
    { side: 512, c: 128, o: 128 },
    { side: 16, c: 96, o: 160 },
    { side: 64, c: 4, o: 320 },
    { side: 64, c: 320, o: 4 },
    { side: 64, c: 320, o: 320, stride: 2 },
    { side: 256, c: 128, o: 128, stride: 2 },
  ] as const)('takes Winograd where channels and pixels are many: %o', (size) => {
    expect(algorithmOf(size)).toBe('winograd4')
  })

  it.each([
    { side: 4, c: 192, o: 192 },
    { side: 2, c: 1280, o: 1280 },
    { side: 64, c: 320, o: 320, stride: 3 },
    { side: 8, c: 1280, o: 1280, stride: 2 },
    { side: 64, c: 320, o: 320, kernel: 1 },
    { side: 64, c: 320, o: 320, kernel: 5 },
    { side: 2, c: 192, o: 192, upsample: 2 },
  ] as const)('stays direct where transforms cost more than they save, or do not apply: %o', (size) => {
    expect(algorithmOf(size)).toBe('direct')
    expect(algorithmOf(size, { largeTiles: true })).toBe('direct')
  })

  it.each([
    { side: 64, c: 320, o: 320 },
    { side: 48, c: 640, o: 640 },
    { side: 40, c: 320, o: 640 },
    { side: 24, c: 640, o: 640 },
    { side: 512, c: 128, o: 128 },
  ])('takes large tiles where they are allowed and few reach over the edge: %o', (size) => {
    expect(algorithmOf(size)).toBe('winograd4')
    expect(algorithmOf(size, { largeTiles: true })).toBe('winograd6')
  })

  it.each([
    { side: 8, c: 1280, o: 1280 },
    { side: 32, c: 640, o: 640 },
    { side: 256, c: 256, o: 256 },
  ])('takes tiles of their own for enlarged pictures, whether large ones are allowed or not: %o', (size) => {
    expect(algorithmOf({ ...size, upsample: 2 })).toBe('winograd6')
    expect(algorithmOf({ ...size, upsample: 2 }, { largeTiles: true })).toBe('winograd6')
  })

  it.each([
    { side: 32, c: 640, o: 640 },
    { side: 16, c: 1280, o: 1280 },
    { side: 8, c: 1280, o: 1280 },
    { side: 64, c: 4, o: 320 },
    { side: 64, c: 320, o: 4 },
    // One output before the picture makes three tiles of each row.
    { side: 6, c: 1280, o: 1280, upsample: 2 as const },
  ])('keeps to small tiles where large ones would be cut or have few products: %o', (size) => {
    expect(algorithmOf(size, { largeTiles: true })).toBe('winograd4')
  })
})

describe('the op', () => {
  it.each([
    { algorithm: 'winograd4', stride: 2 },
    {
      algorithm: 'winograd4',
      stride: 3,
      refused: /winograd4 is for 3x3 kernels of stride 1 or 2, .* of stride 3/,
    },
    {
      algorithm: 'winograd6',
      stride: 2,
      refused: /winograd6 is for 3x3 kernels of stride 1, .* of stride 2/,
    },
  ] as const)(
    'knows which strides an algorithm takes: $algorithm, $stride',
    ({ algorithm, stride, ...of }) => {
      const { dims, params } = conv({ h: 8, w: 8, c: 8, o: 4, k: 3, pad: 1, stride, algorithm })
      const fault = opOf('conv2d').check!({ ...dims, ...params } as never)
      if ('refused' in of) expect(fault).toMatch(of.refused)
      else expect(fault).toBeUndefined()
    },
  )
})

describe('convolutionCosts', () => {
  it.each([
    { algorithm: 'winograd4', stride: 1, side: 1024, begun: 1021, gain: 4 },
    { algorithm: 'winograd4', stride: 2, side: 1024, begun: 1021, gain: 1.78 },
    { algorithm: 'winograd6', stride: 1, side: 1026, begun: 1021, gain: 5.06 },
    { algorithm: 'winograd6', stride: 1, upsample: 2, side: 1025, begun: 1021, gain: 6.61 },
  ] as const)('counts 9 products a pixel, or those of each begun tile: $algorithm, stride $stride', (of) => {
    const { algorithm, stride, side, begun, gain, upsample } = { upsample: 1, ...of }
    const wide = { n: 1, c: 1e6, o: 1e6, stride, upsample }
    const whole = convolutionCosts({ ...wide, ho: side, wo: side })
    expect(Math.abs(whole.direct / whole[algorithm] - gain)).toBeLessThan(0.3)
    const cut = convolutionCosts({ ...wide, ho: begun, wo: begun })
    expect(cut[algorithm]).toBe(whole[algorithm])
    expect(cut.direct).toBeLessThan(whole.direct)
  })
})
