// What the host part decides about products: pure functions of the sizes and the GPU, asked without running anything.

import { describe, expect, inject, it } from 'vitest'
import { enlarged } from '../../lib/selftest/cases/upsample-conv2d.ts'
import type { OpCase } from '../../lib/selftest/op-case.ts'
import { device } from './device.ts'
import { encodeCase } from './run-op.ts'

const missing = inject('ptxMissing')

const gpus = {
  '2080 Ti': [75, 68],
  A100: [80, 108],
  4090: [89, 128],
  H100: [90, 132],
  5090: [120, 170],
} as const
type GpuName = keyof typeof gpus

function launchesOf(gpu: GpuName, c: OpCase, isFast = false) {
  const [architecture, processors] = gpus[gpu]
  return device().launchesOf(architecture, processors, encodeCase(c), isFast)
}

/** Of a tile, at the end of the name of a kernel. */
const sizes = /_(sliced_|paired_)?\d+x\d+$/

/** `128x160, 128 blocks` */
function choice(gpu: GpuName, c: OpCase, isFast = false): string {
  const launches = launchesOf(gpu, c, isFast)
  const { kernel, blocks } = launches[0]!
  return `${sizes.exec(kernel)![0].slice(1)}, ${blocks} blocks${launches.length > 1 ? ' and more' : ''}`
}

const conv = (side: number, c: number, o: number): OpCase => ({
  ...{ op: 'conv2d', dims: { n: 2, h: side, w: side, c, ho: side, wo: side, o, kh: 3, kw: 3, rows: 2 } },
  params: { stride: 1, padTop: 1, padLeft: 1, padBottom: 1, padRight: 1, upsample: 1, algorithm: 'direct' },
})
/** A convolution of 64 channels but for what is said of it. */
function convolution(more: {
  readonly c?: number
  readonly side?: number
  readonly k?: number
  readonly stride?: number
  readonly pads?: readonly [top: number, left: number, bottom: number, right: number]
  readonly upsample?: number
}): OpCase {
  const { c = 64, side = 32, k = 3, stride = 1, pads = [1, 1, 1, 1], upsample = 1 } = more
  const [padTop, padLeft, padBottom, padRight] = pads
  const outputs = (pad: number) => Math.floor((side * upsample + pad - k) / stride) + 1
  const [ho, wo] = [outputs(padTop + padBottom), outputs(padLeft + padRight)]
  return {
    ...{ op: 'conv2d', dims: { n: 2, h: side, w: side, c, ho, wo, o: 64, kh: k, kw: k, rows: 2 } },
    params: { stride, padTop, padLeft, padBottom, padRight, upsample, algorithm: 'direct' },
  }
}
const groupNorm = (n: number, side: number, c: number): OpCase => ({
  ...{ op: 'groupNorm', dims: { n, hw: side * side, c } },
  params: { groups: 32, eps: 1e-5, activation: 'silu' },
})
const linear = (m: number, k: number, n: number): OpCase => ({ op: 'linear', dims: { m, n, k } })

describe.skipIf(missing)(`choices${missing && ` (${missing})`}`, () => {
  it.each([
    // One wave that is full: a block for each processor, of two groups of warps.
    ['H100', conv(64, 320, 320), 'paired_128x160, 128 blocks'],
    ['H100', conv(32, 640, 640), '64x160, 128 blocks'],
    // Tensor cores of GeForce cards are the slowest part: five small blocks on each processor fill all of them.
    [4090, conv(64, 320, 320), '64x64, 640 blocks'],
    ['A100', conv(64, 320, 320), '128x128, 192 blocks'],
    // Small maps: several blocks share the products of one, and on an A100 the warps of each.
    ['A100', conv(8, 1280, 1280), 'sliced_64x128, 100 blocks'],
    ['H100', conv(8, 1280, 1280), '64x64, 240 blocks'],
    ['A100', conv(16, 1280, 1280), '64x128, 320 blocks'],
    // Long rows of blocks: nothing is divided.
    ['A100', linear(8192, 320, 2560), '128x128, 1280 blocks'],
    ['H100', linear(8192, 320, 2560), '128x160, 1024 blocks'],
    [5090, linear(77, 768, 320), '64x64, 30 blocks'],
  ] as const)('%s: %o', (gpu, c, expected) => {
    expect(choice(gpu as GpuName, c)).toBe(expected)
  })

  it('knows that GeForce cards sum in fp16 at twice the rate, and others do not', () => {
    // Sharing the products of a tile costs more than it saves.
    expect(choice(4090, linear(512, 1280, 1280))).toBe('64x64, 640 blocks')
    expect(choice(4090, linear(512, 1280, 1280), true)).toBe('64x64, 320 blocks')
    // But for slices, of which there are none with such sums.
    for (const c of [conv(16, 1280, 1280), conv(64, 320, 320), linear(2048, 2560, 640)])
      expect(choice('A100', c, true)).toBe(choice('A100', c))
  })

  it('leaves out the tile whose sums and copies do not fit into registers beside sums in fp16', () => {
    const wide = linear(8192, 320, 960)
    expect(choice('A100', wide)).toBe('128x160, 384 blocks')
    expect(choice('A100', wide, true)).toBe('128x128, 512 blocks')
    // Copies of sm_75 are stores, and on Hopper `fast` is the same.
    expect(choice('2080 Ti', wide, true)).toBe('128x160, 384 blocks')
    expect(choice('H100', wide, true)).toBe(choice('H100', wide))
  })

  it.each(Object.keys(gpus) as unknown as GpuName[])('%s finishes every product in one launch', (gpu) => {
    for (const m of [1, 64, 77, 128, 512, 2048, 8192]) {
      for (const n of [320, 640, 1280]) {
        for (const k of [320, 1280, 5120, 11520]) expect(choice(gpu, linear(m, k, n))).not.toContain('more')
      }
    }
  })

  it.each([
    ['boxed_conv2d', convolution({})],
    ['boxed_conv2d', convolution({ c: 320, stride: 2 })],
    ['boxed_conv2d', convolution({ k: 1, stride: 2, pads: [0, 0, 0, 0] })],
    ['boxed_conv2d', convolution({ k: 1 })],
    // More taps than the bit mask of conv2d has.
    ['boxed_conv2d', convolution({ k: 7, pads: [3, 3, 3, 3] })],
    ['boxed_conv2d', convolution({ stride: 8 })],
    ['boxed_conv2d', convolution({ pads: [128, 128, 1, 1] })],
    ['boxed_conv2d', convolution({ pads: [0, 0, 129, 129] })],
    ['boxed_conv2d', convolution({ k: 256, pads: [128, 128, 127, 127] })],
    ['conv2d', convolution({ c: 48 })],
    ['conv2d', convolution({ c: 96 })],
    ['conv2d', convolution({ upsample: 2 })],
    ['boxed_conv2d', enlarged({ h: 32, w: 32, c: 64, o: 64 })],
    ['conv2d', enlarged({ h: 32, w: 32, c: 72, o: 64 })],
    ['conv2d', convolution({ stride: 9 })],
    ['conv2d', convolution({ pads: [129, 1, 1, 1] })],
    ['conv2d', convolution({ pads: [1, 129, 1, 1] })],
    ['conv2d', convolution({ pads: [1, 1, 130, 1] })],
    ['conv2d', convolution({ pads: [1, 1, 1, 130] })],
    ['gemm_any', convolution({ c: 4 })],
    ['gemm_any', convolution({ c: 12 })],
    ['gemm_any', convolution({ c: 48, k: 7 })],
    // The last pixel of the first tap is too far from the corner, or the last tap from the first.
    ['gemm_any', convolution({ side: 160, k: 130, pads: [0, 0, 0, 0] })],
    ['gemm_any', convolution({ k: 257, pads: [127, 127, 140, 140] })],
    // A linear layer.
    ['linear', convolution({ k: 1, pads: [0, 0, 0, 0] })],
    ['linear', linear(64, 72, 64)],
    ['gemm_any', linear(64, 76, 64)],
    ['gemm_any', linear(64, 77, 64)],
  ] as const)('H100: %s for %o', (kernel, c) => {
    expect(launchesOf('H100', c)[0]!.kernel.replace(sizes, '')).toBe(kernel)
  })

  it.each(['2080 Ti', 'A100', 4090, 5090] as const)('%s has no boxes', (gpu) => {
    expect(launchesOf(gpu, convolution({}))[0]!.kernel.replace(sizes, '')).toBe('conv2d')
  })

  it.each([
    // A block for each group reads it once: one launch, as far as shared memory holds the group.
    ['H100', groupNorm(2, 64, 320), 'group_norm_whole_2 64'],
    ['H100', groupNorm(2, 64, 640), 'group_norm_whole_4 64'],
    ['H100', groupNorm(2, 64, 960), 'group_factors_8 256, normalize_8 256'],
    ['A100', groupNorm(2, 64, 640), 'group_norm_whole_4 64'],
    [4090, groupNorm(2, 64, 320), 'group_norm_whole_2 64'],
    [4090, groupNorm(2, 64, 640), 'group_factors_8 256, normalize_8 256'],
    ['2080 Ti', groupNorm(2, 64, 320), 'group_factors_8 136, normalize_8 136'],
    ['2080 Ti', groupNorm(2, 16, 2560), 'group_norm_whole_8 64'],
    // All processors for what none could keep.
    ['H100', groupNorm(1, 512, 128), 'group_factors_8 264, normalize_8 264'],
    // Many pictures keep all processors busy with groups.
    ['H100', groupNorm(16, 32, 640), 'group_norm_whole_4 512'],
  ] as const)('%s normalises %o', (gpu, c, expected) => {
    const launches = launchesOf(gpu as GpuName, c).map(({ kernel, blocks }) => `${kernel} ${blocks}`)
    expect(launches.join(', ')).toBe(expected)
  })
})
