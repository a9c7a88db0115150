// What the CUDA backend does when something fails, with the CUDA runtime of a machine that fails on demand: nothing but
// the run that was meant, and never the process.

import { beforeEach, it as check, describe, expect, inject } from 'vitest'
import { type DeviceName, defaultModelFolder, load, type ProgressEvent } from '../../lib/index.ts'
import { compile, loadWeights } from '../../lib/runtime/program.ts'
import { targetOf } from '../../lib/runtime/target.ts'
import { bitsOf } from '../../lib/selftest/half.ts'
import { encode, type HandPlan, writeWeights } from '../native/plans.ts'
import { architectures } from './build.ts'
import { folder, on, options, paint, paintOnce } from './painting.ts'
import { addGpu, fail, setUp, stateOf, timings } from './player.ts'

const missing = inject('ptxMissing') || (architectures.includes(80) ? '' : 'sm_80 was not built')
const it = check.skipIf(missing)

/** Codes of CUDA. */
const [outOfMemory, launchFailure, illegalAddress, notSupported] = [2, 719, 700, 801]
const [unavailable, noImage, contained] = [46, 209, 226]

beforeEach(() => {
  if (!missing) setUp()
})

describe('one GPU', () => {
  it('computes the same whenever its streams get to work', async () => {
    const results = []
    for (const timing of timings) results.push(await paintOnce(on(addGpu({ architecture: 80, timing }))))
    expect(results[1]).toEqual(results[0])
    expect(results[2]).toEqual(results[0])
  })

  it('launches kernels one by one once, then graphs, and never waits for all of a stream', async () => {
    const gpu = addGpu()
    await using pipeline = await load(folder, on(gpu))
    const first = await paint(pipeline)
    expect(await paint(pipeline)).toEqual(first)
    const { calls: twice } = stateOf(gpu)
    expect(twice.cudaGraphLaunch).toBeGreaterThan(0)
    expect(twice.cudaStreamSynchronize ?? 0).toBe(0)
    // The third time there is nothing left to allocate or to capture.
    expect(await paint(pipeline)).toEqual(first)
    const { calls } = stateOf(gpu)
    expect(calls.cudaMalloc).toBe(twice.cudaMalloc)
    expect(calls.cudaStreamBeginCapture).toBe(twice.cudaStreamBeginCapture)
    expect(calls.cudaLaunchKernelExC).toBe(twice.cudaLaunchKernelExC)
    expect(calls.cudaGraphLaunch).toBeGreaterThan(twice.cudaGraphLaunch!)
  })

  it('asks for as much shared memory as the largest launch of a kernel wants', async () => {
    // Groups of 50 and 70 KB, each in the shared memory of a block: without asking it may have 48.
    const c = 32
    const pixels = [800, 1100] as const
    const bytes = pixels.map((hw) => hw * c * 2)
    const value = (space: 'input' | 'output', place: number) =>
      ({ space, place, bytes: bytes[place]!, dtype: 'f16' }) as const
    const plan: HandPlan = {
      values: [
        ...([value('input', 0), value('input', 1), value('output', 0), value('output', 1)] as const),
        { space: 'weight', place: 0, bytes: c * 4 },
        { space: 'weight', place: 1, bytes: c * 4 },
      ],
      nodes: pixels.map((hw, i) => ({
        ...{ op: 'groupNorm', dims: { n: 1, hw, c }, operands: { x: i, gamma: 4, beta: 5, y: 2 + i } },
        params: { groups: 1, eps: 1e-5, activation: 'none' },
      })),
    }
    const target = targetOf(on(addGpu()))
    const ofChannels = (number: number) => ({ shape: [c], data: new Float32Array(c).fill(number) })
    const weights = await loadWeights(writeWeights([ofChannels(1), ofChannels(0)]), target)
    await using program = compile(encode(plan), weights, { target })
    // Half of the numbers are 1, the others -1, and so they stay.
    const one = bitsOf('f16', 1)
    const inputs = bytes.map((size) =>
      Uint16Array.from({ length: size / 2 }, (_, i) => (i % 2) * 0x8000 + one),
    )
    const outputs = bytes.map((size) => new Uint16Array(size / 2))
    await program.run({ inputs, outputs })
    expect(outputs).toEqual(inputs)
    weights.dispose()
  })

  it('refuses plans of what only CPUs can', async () => {
    const target = targetOf(on(addGpu()))
    const [side, c] = [4, 16]
    const weights = await loadWeights(
      writeWeights([
        { shape: [c, c, 3, 3], data: new Float32Array(c * c * 9) },
        { shape: [c / 2, c, 1, 1], data: new Float32Array((c / 2) * c) },
      ]),
      target,
    )
    const map = { bytes: side * side * c * 2, dtype: 'f16' } as const
    /** A convolution of the first `o` channels out, and floats that may be moments of its channels. */
    const faultOf = async (kernel: { size: number; o: number }, algorithm: string, moments = {}) => {
      const { size, o } = kernel
      const pad = (size - 1) / 2
      const plan: HandPlan = {
        values: [
          { space: 'input', place: 0, ...map },
          { space: 'weight', place: 0, bytes: c * c * 9 * 4 },
          { space: 'weight', place: 1, bytes: (c / 2) * c * 4 },
          { space: 'output', place: 0, ...map },
          { space: 'output', place: 1, bytes: c * 4 },
          { space: 'output', place: 2, bytes: c * 4 },
        ],
        nodes: [
          {
            op: 'conv2d',
            dims: { n: 1, h: side, w: side, c, ho: side, wo: side, o, kh: size, kw: size, rows: 1 },
            operands: { x: 0, weight: size === 3 ? 1 : 2, y: 3, ...moments },
            params: {
              stride: 1,
              padTop: pad,
              padLeft: pad,
              padBottom: pad,
              padRight: pad,
              upsample: 1,
              algorithm,
            },
          },
        ],
      }
      try {
        await compile(encode(plan), weights, { target }).dispose()
        return undefined
      } catch (error) {
        return (error as Error).message
      }
    }
    const [square, point] = [
      { size: 3, o: c },
      { size: 1, o: c / 2 },
    ]
    expect(await faultOf(square, 'winograd4')).toBeUndefined()
    expect(await faultOf(square, 'winograd4', { channelMean: 4, channelVariance: 5 })).toMatch(
      'moments of channels are for the CPU',
    )
    expect(await faultOf(point, 'direct')).toBeUndefined()
    expect(await faultOf(point, 'contraction')).toMatch('contractions in place are for the CPU')
    weights.dispose()
  })

  it('sends what depends on the prompt alone once for all steps', async () => {
    const gpu = addGpu()
    await using pipeline = await load(folder, on(gpu))
    const copies = async (steps: number) => {
      const { cudaMemcpyAsync: before = 0 } = stateOf(gpu).calls
      await paint(pipeline, { steps, scheduler: 'ddim' })
      return stateOf(gpu).calls.cudaMemcpyAsync! - before
    }
    await copies(2)
    // Latents, timestep, scale and coefficients of a step are sent, and its latents come back.
    expect((await copies(5)) - (await copies(2))).toBe(3 * 5)
  })

  it('gives everything back', async () => {
    const gpu = addGpu()
    await paintOnce(on(gpu))
    await expect.poll(() => stateOf(gpu).used, { timeout: 20_000 }).toBe(0)
  })

  it('goes on with loading its kernels where memory ran out', async () => {
    const expected = await paintOnce(on(addGpu()))
    // The second of two modules, and the third kernel in it, which the first has not.
    for (const [call, nth] of [['cudaLibraryLoadData', 2] as const, ['cudaLibraryGetKernel', 6] as const]) {
      const gpu = addGpu()
      fail({ device: gpu, call, error: outOfMemory, nth })
      expect(await paintOnce(on(gpu)), call).toEqual(expected)
    }
  })

  it('runs plans that need no memory of their own as often as wanted', async () => {
    const count = 8
    const value = (space: 'input' | 'output', place: number) =>
      ({ space, place, bytes: count * 2, dtype: 'f16' }) as const
    const plan: HandPlan = {
      values: [value('input', 0), value('input', 1), value('output', 0)],
      nodes: [{ op: 'add', dims: { count }, operands: { a: 0, b: 1, y: 2 } }],
    }
    await using program = compile(encode(plan), null, { target: targetOf(on(addGpu())) })
    const [one, two] = [1, 2].map((number) => new Uint16Array(count).fill(bitsOf('f16', number)))
    for (let run = 0; run < 3; run++) {
      const sum = new Uint16Array(count)
      await program.run({ inputs: [one!, one!], outputs: [sum] })
      expect(sum).toEqual(two)
    }
  })

  it('says that Turing has no bf16', async () => {
    const gpu = addGpu({ architecture: 75 })
    await expect(load(folder, { ...on(gpu), precision: 'bf16' })).rejects.toMatchObject({
      code: 'DEVICE_UNAVAILABLE',
      message: expect.stringMatching(
        /^cuda:\d+ \(interpreted GPU, sm_75\) does not .* precision: "f16" and "fast" work/,
      ),
    })
  })

  it('keeps features and guidance for a part of the run as the CPU does', async () => {
    const more = { ...{ steps: 5, cacheInterval: 2 }, ...{ guidanceScale: 3, guidanceInterval: [0, 0.5] } }
    const expected = await paintOnce({}, more)
    const got = await paintOnce(on(addGpu()), more)
    const norm = (values: Float32Array) => Math.hypot(...values)
    expect(norm(got.map((value, i) => value - expected[i]!)) / norm(expected)).toBeLessThan(0.01)
    // Far enough from what all of the UNet and all of guidance give for the bound to mean something.
    const whole = await paintOnce({}, { ...more, cacheInterval: 1 })
    expect(norm(whole.map((value, i) => value - expected[i]!)) / norm(expected)).toBeGreaterThan(0.02)
  })

  it('merges the tokens that the CPU merges', async () => {
    const more = { tokenMerging: 0.5 }
    const [expected, got] = [await paintOnce({}, more), await paintOnce(on(addGpu()), more)]
    const distance = (from: Float32Array) =>
      Math.hypot(...got.map((value, i) => value - from[i]!)) / Math.hypot(...from)
    expect(distance(expected)).toBeLessThan(0.01)
    // Far enough from what no merging gives for the bound to mean something.
    expect(distance(await paintOnce({}))).toBeGreaterThan(0.02)
  })

  it('does without pinned memory where there is none', async () => {
    const gpu = addGpu()
    fail({ device: gpu, call: 'cudaMallocHost', error: notSupported, times: 1000 })
    expect(await paintOnce(on(gpu))).toEqual(await paintOnce(on(addGpu())))
    expect(stateOf(gpu).pinned).toBe(0)
  })

  it.each([
    ['cudaLaunchKernelExC', launchFailure, 20],
    ['cudaGraphLaunch', illegalAddress, 2],
    ['cudaEventSynchronize', illegalAddress, 12],
    ['cudaMemcpyAsync', illegalAddress, 5],
    ['cudaLibraryGetKernel', illegalAddress, 7],
    ['cudaGraphLaunch', contained, 2],
  ] as const)('is lost when %s breaks it, with all that was queued', async (call, error, nth) => {
    const gpu = addGpu()
    await using pipeline = await load(folder, on(gpu))
    await using other = await load(folder, on(gpu))
    fail({ device: gpu, call, error, nth })
    const runs = await Promise.allSettled([paint(pipeline), paint(other), paint(pipeline, { seed: 2 })])
    expect(runs.map((run) => run.status === 'rejected' && run.reason.code)).toEqual(
      runs.map(() => 'DEVICE_LOST'),
    )
    await expect(paint(other)).rejects.toThrow(/has stopped working: .* Start a new process/)
    // The process lives, and the CPU works.
    await paintOnce({})
  })

  it('survives an error that breaks nothing', async () => {
    const gpu = addGpu()
    await using pipeline = await load(folder, on(gpu))
    const text = () => pipeline.encodePrompt('red apple')
    const failsAt = async (call: string, error: number, nth = 1) => {
      fail({ device: gpu, call, error, nth })
      await expect(text()).rejects.toMatchObject({ code: 'INTERNAL' })
    }
    await failsAt('cudaLaunchKernelExC', 1, 3)
    const encoded = await text()
    // It is warm now: in the midst of the capture, and at the end of the next one.
    await failsAt('cudaLaunchKernelExC', 1, 3)
    await failsAt('cudaStreamEndCapture', 901)
    expect(await text()).toEqual(encoded)
  })

  it('stops between groups of launches when it is aborted', async () => {
    const gpu = addGpu()
    await using pipeline = await load(defaultModelFolder, on(gpu))
    const launches = () => stateOf(gpu).calls.cudaGraphLaunch ?? 0
    const step = { ...options, steps: 1 }
    // All that a generation runs has been captured by its second time.
    await paint(pipeline, step)
    const begun = launches()
    const { timings } = await pipeline.generate(step)
    const whole = launches() - begun
    const controller = new AbortController()
    const onProgress = (event: ProgressEvent) => {
      // In the first half of the step's groups, whatever the machine does meanwhile.
      if (event.type === 'stage' && event.stage === 'denoise')
        setTimeout(() => controller.abort(), timings.denoise / 5)
    }
    const again = launches()
    const run = pipeline.generate({ ...step, onProgress, signal: controller.signal })
    await expect(run).rejects.toMatchObject({ code: 'ABORTED' })
    expect(launches() - again).toBeLessThan(whole)
    await paint(pipeline, step)
    expect(launches() - again).toBeGreaterThan(whole)
  })
})

describe('several GPUs', () => {
  it('share the pictures of a generation', async () => {
    const more = { prompt: ['red apple', 'a house', 'a tree'] }
    const one = await paintOnce(on(addGpu()), more)
    const [first, second] = [addGpu(), addGpu()]
    await using pipeline = await load(folder, { device: [`cuda:${first}`, `cuda:${second}`] })
    expect(pipeline.info.devices).toEqual(
      [first, second].map((gpu) => ({ name: `cuda:${gpu}`, description: 'interpreted GPU' })),
    )
    const latents = await paint(pipeline, more)
    for (const gpu of [first, second]) expect(stateOf(gpu).calls.cudaGraphLaunch).toBeGreaterThan(0)
    // Pictures that go through the UNet in other batches are rounded otherwise.
    const largest = latents.reduce((most, x, i) => Math.max(most, Math.abs(x - one[i]!)), 0)
    expect(largest).toBeLessThan(0.02)
  })

  it('end a generation when one of them is lost; the other goes on', async () => {
    const [first, second] = [addGpu(), addGpu()]
    await using pipeline = await load(folder, { device: [`cuda:${first}`, `cuda:${second}`] })
    fail({ device: second, call: 'cudaLaunchKernelExC', error: launchFailure, nth: 5 })
    await expect(paint(pipeline, { count: 2 })).rejects.toMatchObject({ code: 'DEVICE_LOST' })
    await paintOnce(on(first))
  })

  it('must be different, and GPUs', async () => {
    const [first, second] = [addGpu(), addGpu()]
    const name = `cuda:${first}` as const
    for (const device of [[], [name, name], ['cpu', name], [`cuda:0${first}` as DeviceName, name]] as const) {
      await expect(load(folder, { device })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    }
    await expect(load(folder, { device: 'cuda:999' })).rejects.toMatchObject({
      code: 'DEVICE_UNAVAILABLE',
      message: expect.stringContaining(`there are ${second + 1} GPUs`),
    })
  })
})

describe('what cannot be used says why', () => {
  it.each([
    ['no driver', { driver: 0 }, /no NVIDIA driver \(580 or later is needed\)/],
    ['an old driver', { driver: 12040 }, /too old: it is for CUDA 12\.4, CUDA 13\.\d needs driver 580/],
    ['no GPU', { hidden: true }, /There is no NVIDIA GPU/],
  ] as const)('%s', async (_, machine, message) => {
    setUp(machine)
    await expect(load(folder, { device: 'cuda' })).rejects.toMatchObject({
      code: 'DEVICE_UNAVAILABLE',
      message: expect.stringMatching(message),
    })
    await using pipeline = await load(folder, { device: 'auto' })
    expect(pipeline.info.devices).toEqual([{ name: 'cpu', description: undefined }])
    expect(pipeline.info.deviceNote).toMatch(message)
  })

  it.each([
    ['cudaSetDevice', unavailable, /Choosing the device on cuda:\d+ failed: error 46/],
    ['cudaLibraryGetKernel', noImage, /Looking for a kernel on cuda:\d+ failed: error 209/],
  ])('a GPU that has %s fail', async (call, error, message) => {
    const gpu = addGpu()
    fail({ device: gpu, call, error })
    await expect(paintOnce(on(gpu))).rejects.toMatchObject({
      code: 'DEVICE_UNAVAILABLE',
      message: expect.stringMatching(message),
    })
    // It may have passed.
    await paintOnce(on(gpu))
  })

  it('a GPU that does not say what it is, without moving the others', async () => {
    const [broken, sound] = [addGpu(), addGpu()]
    fail({ device: broken, call: 'cudaGetDeviceProperties', error: unavailable, times: 1000 })
    expect(targetOf(on(broken))).toMatchObject({ name: `cuda:${broken}`, description: 'error 46' })
    expect(targetOf(on(sound))).toMatchObject({ name: `cuda:${sound}`, device: sound })
  })

  it('an old GPU', async () => {
    await expect(load(folder, on(addGpu({ architecture: 61 })))).rejects.toMatchObject({
      code: 'DEVICE_UNAVAILABLE',
      message: expect.stringMatching(/compute capability 6\.1, 7\.5 \(Turing\) or later is needed/),
    })
  })
})
