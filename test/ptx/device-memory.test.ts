// What the CUDA backend does when memory runs out: nothing is lost that could be kept, and pictures stay the same.

import { beforeEach, it as check, describe, expect, inject } from 'vitest'
import { load } from '../../lib/index.ts'
import { architectures } from './build.ts'
import { folder, on, paint, paintOnce } from './painting.ts'
import { addGpu, fail, setUp, stateOf } from './player.ts'

const missing = inject('ptxMissing') || (architectures.includes(80) ? '' : 'sm_80 was not built')
const it = check.skipIf(missing)

/** Of CUDA. */
const outOfMemory = 2
/** Larger than what the text encoder takes. */
const large = { width: 192, height: 128 }

beforeEach(() => {
  if (!missing) setUp()
})

describe('memory', () => {
  it('tries again without its caches when memory runs out, and paints the same', async () => {
    const gpu = addGpu()
    await using pipeline = await load(folder, on(gpu))
    const before = await paint(pipeline)
    // A picture of another size needs other memory.
    fail({ device: gpu, call: 'cudaMalloc', error: outOfMemory })
    await paint(pipeline, { width: 128 })
    expect(await paint(pipeline)).toEqual(before)
    fail({ device: gpu, call: 'cudaGraphInstantiate', error: outOfMemory })
    await paint(pipeline, { height: 128 })
    expect(await paint(pipeline)).toEqual(before)
  })

  it('captures anew what was captured over a workspace that has moved', async () => {
    const gpu = addGpu()
    await using pipeline = await load(folder, on(gpu))
    const before = await paint(pipeline)
    expect(await paint(pipeline)).toEqual(before)
    const { cudaFree = 0 } = stateOf(gpu).calls
    await paint(pipeline, large)
    expect(stateOf(gpu).calls.cudaFree).toBeGreaterThan(cudaFree)
    expect(await paint(pipeline)).toEqual(before)
  })

  it('captures anew what was captured with weights that have moved', async () => {
    const gpu = addGpu()
    const mallocs = () => stateOf(gpu).calls.cudaMalloc ?? 0
    await using pipeline = await load(folder, on(gpu))
    // The largest workspace there will be, then all programs captured over it.
    await paint(pipeline, large)
    const before = await paint(pipeline)
    expect(await paint(pipeline)).toEqual(before)
    const begun = mallocs()
    await paintOnce(on(gpu), large)
    const needed = mallocs() - begun
    // Another pipeline, whose last buffer of the same workspace does not fit, nor when buffers have been let go of: then
    // the weights of the first are.
    fail({ device: gpu, call: 'cudaMalloc', error: outOfMemory, nth: needed, times: 2 })
    const again = mallocs()
    await paintOnce(on(gpu), large)
    expect(mallocs() - again).toBeGreaterThan(needed)
    const { cudaStreamBeginCapture } = stateOf(gpu).calls
    expect(await paint(pipeline)).toEqual(before)
    expect(stateOf(gpu).calls.cudaStreamBeginCapture).toBeGreaterThan(cudaStreamBeginCapture!)
  })

  it('keeps weights as long as there is other memory to let go of', async () => {
    const gpu = addGpu()
    await using pipeline = await load(folder, on(gpu))
    const sent = () => stateOf(gpu).calls.cudaMemcpyAsync ?? 0
    await paint(pipeline, large)
    await paint(pipeline)
    const begun = sent()
    const expected = await paint(pipeline)
    const usual = sent() - begun
    // Of another size than all before.
    fail({ device: gpu, call: 'cudaMalloc', error: outOfMemory })
    await paint(pipeline, { width: 128 })
    const again = sent()
    expect(await paint(pipeline)).toEqual(expected)
    // Inputs and outputs, and what depends on the prompt alone: no weight.
    expect(sent() - again).toBeLessThan(usual + 10)
  })

  it('makes room by letting go of what the run does not use', async () => {
    const roomy = addGpu()
    let used: number
    let expected: Awaited<ReturnType<typeof paint>>
    {
      await using pipeline = await load(folder, on(roomy))
      expected = await paint(pipeline)
      used = stateOf(roomy).used
    }
    // Buffers of other programs are enough, or weights have to go as well.
    for (const share of [0.9, 0.78]) {
      const tight = addGpu({ architecture: 80, memory: Math.round(used * share) })
      await using pipeline = await load(folder, on(tight))
      for (let again = 0; again < 2; again++) expect(await paint(pipeline), `${share}`).toEqual(expected)
    }
  })

  it('says what was needed and what to do when memory is too small', async () => {
    const gpu = addGpu({ architecture: 80, memory: 100_000 })
    await expect(paintOnce(on(gpu))).rejects.toMatchObject({
      code: 'OUT_OF_MEMORY',
      message: expect.stringMatching(
        /needs [\d.]+ MiB on cuda:\d+; [\d.]+ MiB of [\d.]+ MiB are free\. .*vaeTiling.*sequentialGuidance/,
      ),
    })
    await paintOnce({})
  })
})
