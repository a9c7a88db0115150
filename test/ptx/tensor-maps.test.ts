// What the CUDA backend does where the driver makes no tensor maps, which Hopper needs. The process looks for the functions of the
// driver until it has found them, so the first test comes first, in a file of its own.

import { beforeEach, it as check, describe, expect, inject } from 'vitest'
import { load } from '../../lib/index.ts'
import { compile, loadWeights } from '../../lib/runtime/program.ts'
import { targetOf } from '../../lib/runtime/target.ts'
import { bitsOf, numberOf } from '../../lib/selftest/half.ts'
import { encode, type HandPlan, writeWeights } from '../native/plans.ts'
import { architectures } from './build.ts'
import { folder, on, paint, paintOnce } from './painting.ts'
import { addGpu, fail, setUp, stateOf } from './player.ts'

const missing = inject('ptxMissing') || (architectures.includes(90) ? '' : 'sm_90 was not built')
const it = check.skipIf(missing)

/** Codes of CUDA, and of the driver. */
const [symbolNotFound, notSupported, illegalAddress, invalidValue] = [500, 801, 700, 1]

const [side, c] = [4, 64]
const map = { bytes: side * side * c * 2, dtype: 'f16' } as const
const convolution: HandPlan = {
  values: [
    { space: 'input', place: 0, ...map },
    { space: 'weight', place: 0, bytes: c * c * 9 * 4 },
    { space: 'output', place: 0, ...map },
  ],
  nodes: [
    {
      op: 'conv2d',
      dims: { n: 1, h: side, w: side, c, ho: side, wo: side, o: c, kh: 3, kw: 3, rows: 1 },
      operands: { x: 0, weight: 1, y: 2 },
      params: {
        ...{ stride: 1, padTop: 1, padLeft: 1, padBottom: 1, padRight: 1 },
        ...{ upsample: 1, algorithm: 'direct' },
      },
    },
  ],
}

const hopper = () => addGpu({ architecture: 90 })
const lookUp = 'cudaGetDriverEntryPointByVersion'

beforeEach(() => {
  if (!missing) setUp()
})

describe('a driver without tensor maps', () => {
  it('is said to be one, until it has them', async () => {
    const gpu = hopper()
    await using pipeline = await load(folder, on(gpu))
    const failsAs = async (fault: { error: number; nth?: number }, code: string, message: RegExp) => {
      fail({ device: gpu, call: lookUp, ...fault })
      await expect(paint(pipeline)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    }
    const error = symbolNotFound
    await failsAs(
      { error },
      'DEVICE_UNAVAILABLE',
      /The NVIDIA driver has no cuTensorMapEncodeTiled \(\d+ or later has it\)\./,
    )
    await failsAs(
      { error: notSupported },
      'INTERNAL',
      /Looking for a function of the driver on cuda:\d+ failed: error 801/,
    )
    await failsAs(
      { error, nth: 2 },
      'DEVICE_UNAVAILABLE',
      /The NVIDIA driver has no cuTensorMapEncodeIm2col \(\d+ or later has it\)\./,
    )
    // Something else broke the device, and the call is the first to say so.
    const broken = hopper()
    fail({ device: broken, call: lookUp, error: illegalAddress })
    await expect(paintOnce(on(broken))).rejects.toMatchObject({ code: 'DEVICE_LOST' })
    // The process lives, and the CPU works; so does the GPU, when its driver does.
    await paintOnce({})
    const painted = await paint(pipeline)
    expect(stateOf(gpu).calls[lookUp]).toBe(5)
    const other = hopper()
    expect(await paintOnce(on(other))).toEqual(painted)
    expect(stateOf(other).calls[lookUp]).toBeUndefined()
  })

  // A product of patches and rows of weights: a map of each kind.
  it.each(['cuTensorMapEncodeTiled', 'cuTensorMapEncodeIm2col'])('may refuse one: %s', async (call) => {
    const gpu = hopper()
    const target = targetOf(on(gpu))
    const weights = await loadWeights(
      writeWeights([{ shape: [c, c, 3, 3], data: new Float32Array(c * c * 9).fill(1) }]),
      target,
    )
    await using program = compile(encode(convolution), weights, { target })
    const x = new Uint16Array(side * side * c).fill(bitsOf('f16', 1))
    const run = async () => {
      const y = new Uint16Array(x.length)
      await program.run({ inputs: [x], outputs: [y] })
      // A corner, and a pixel that all taps meet.
      expect([y[0], y[(side + 1) * c]].map((bits) => numberOf('f16', bits!))).toEqual([4 * c, 9 * c])
    }
    const refuses = async () => {
      fail({ device: gpu, call, error: invalidValue })
      await expect(run()).rejects.toMatchObject({ code: 'INTERNAL', message: `${call} failed with error 1.` })
    }
    await refuses()
    await run()
    // In the midst of a capture.
    await refuses()
    await run()
    expect(stateOf(gpu).calls[call]).toBe(4)
    await run()
    expect(stateOf(gpu).calls[call]).toBe(4)
    weights.dispose()
  })
})
