import { describe, expect, it } from 'vitest'
import { chooseConvolutions, convolutionCosts } from '../../../lib/graph/choose-convolution.ts'
import { conv2d } from '../../../lib/tensor/functional.ts'
import { Trace } from '../../../lib/tensor/trace.ts'

interface Case {
  readonly side: number
  readonly c: number
  readonly o: number
  readonly kernel?: number
  readonly stride?: number
}

function algorithmOf({ side, c, o, kernel = 3, stride = 1 }: Case) {
  const trace = new Trace()
  const x = trace.input('x', 'f32', [1, side, side, c])
  const y = conv2d(x, trace.weight('w', [o, c, kernel, kernel]), undefined, {
    padding: (kernel - 1) / 2,
    stride,
  })
  trace.output('y', y)
  return chooseConvolutions(trace.graph()).nodes[0]!.params.algorithm
}

describe('chooseConvolutions', () => {
  it.each([
    { side: 64, c: 320, o: 320 },
    { side: 8, c: 1280, o: 1280 },
    { side: 512, c: 128, o: 128 },
    { side: 16, c: 96, o: 160 },
    { side: 64, c: 4, o: 320 },
    { side: 64, c: 320, o: 4 },
  ])('takes Winograd where channels and pixels are many: %o', (size) => {
    expect(algorithmOf(size)).toBe('winograd')
  })

  it.each([
    { side: 4, c: 192, o: 192 },
    { side: 2, c: 1280, o: 1280 },
    { side: 64, c: 320, o: 320, stride: 2 },
    { side: 64, c: 320, o: 320, kernel: 1 },
    { side: 64, c: 320, o: 320, kernel: 5 },
  ])('stays direct where transforms cost more than they save, or do not apply: %o', (size) => {
    expect(algorithmOf(size)).toBe('direct')
  })
})

describe('convolutionCosts', () => {
  it('counts 9 products a pixel, or 36 for each begun tile of 4x4', () => {
    const wide = { n: 1, c: 1e6, o: 1e6 }
    const whole = convolutionCosts({ ...wide, ho: 1024, wo: 1024 })
    expect(whole.direct / whole.winograd).toBeCloseTo(4, 0)
    const begun = convolutionCosts({ ...wide, ho: 1021, wo: 1021 })
    expect(begun.winograd).toBe(whole.winograd)
    expect(begun.direct).toBeLessThan(whole.direct)
  })
})
