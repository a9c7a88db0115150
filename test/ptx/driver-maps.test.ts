// What the CUDA backend says to the driver about tensors whose boxes the copy engine of Hopper brings: ops by all of the host
// side, on a played driver.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, it as check, describe, expect, inject } from 'vitest'
import { targetOf } from '../../lib/runtime/target.ts'
import { conv } from '../../lib/selftest/cases/conv2d.ts'
import { enlarged } from '../../lib/selftest/cases/upsample-conv2d.ts'
import type { OpCase } from '../../lib/selftest/op-case.ts'
import { runCase } from '../../lib/selftest/run-case.ts'
import { architectures } from './build.ts'
import { on } from './painting.ts'
import { addGpu, setUp, stateOf } from './player.ts'

const missing = inject('ptxMissing') || (architectures.includes(90) ? '' : 'sm_90 was not built')
const it = check.skipIf(missing)

let folder: string
beforeAll(() => {
  if (!missing) setUp()
  folder = mkdtempSync(join(tmpdir(), 'tintype-maps-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Boxes of more rows than columns. */
const linear: OpCase = {
  ...{ op: 'linear', dims: { m: 70, n: 320, k: 136 }, given: ['bias'], dtype: 'f16' },
  params: { activation: 'none' },
}
const shortcut: OpCase = {
  ...{ op: 'concatLinear', dims: { m: 33, n: 40, ca: 64, cb: 24, k: 88 }, given: ['bias'], dtype: 'f16' },
}
const layers: OpCase = {
  ...{ op: 'projections', dims: { m: 33, n: 40, k: 72 }, given: ['w1', 'y1', 'w2', 'y2'], dtype: 'f16' },
  params: { eps: 0, activation: 'none' },
}
const convolution = conv({ h: 12, w: 11, c: 64, o: 160, k: 3, pad: 1, dtype: 'f16' })
/** Nothing is the same in both directions, so that nothing can be swapped. */
const lopsided = conv({
  ...{ n: 2, h: 9, w: 14, c: 128, o: 40, k: [2, 3], pad: [2, 0, 1, 3], stride: 2, dtype: 'f16' },
})

describe('maps that the driver makes', () => {
  it.each([
    ['rows of a layer', linear, 2, 0],
    ['rows of two values', shortcut, 3, 0],
    ['rows of several layers', layers, 4, 0],
    ['patches', convolution, 1, 1],
    ['patches that are as lopsided as can be', lopsided, 1, 1],
    // Of all quarters the same patches.
    ['an enlarged picture', enlarged({ n: 2, h: 5, w: 9, c: 64, o: 40 }), 4, 1],
  ] as const)('are of %s', async (_, c, ofRows, ofPatches) => {
    const gpu = addGpu({ architecture: 90, processors: 2 })
    const { judgement } = await runCase(c, targetOf({ ...on(gpu), precision: 'f16' }), folder)
    expect(judgement.wrong).toBeUndefined()
    const { cuTensorMapEncodeTiled = 0, cuTensorMapEncodeIm2col = 0 } = stateOf(gpu).calls
    expect([cuTensorMapEncodeTiled, cuTensorMapEncodeIm2col]).toEqual([ofRows, ofPatches])
  })
})
