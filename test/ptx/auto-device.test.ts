// `device: 'auto'` on a machine with two GPUs, of which the first may fail.

import { beforeAll, beforeEach, it as check, describe, expect, inject } from 'vitest'
import { load } from '../../lib/index.ts'
import { architectures } from './build.ts'
import { folder, paint } from './painting.ts'
import { addGpu, fail, setUp } from './player.ts'

const missing = inject('ptxMissing') || (architectures.includes(80) ? '' : 'sm_80 was not built')
const it = check.skipIf(missing)

/** Codes of CUDA. */
const [outOfMemory, launchFailure] = [2, 719]

beforeEach(() => {
  if (!missing) setUp()
})

describe('auto', () => {
  beforeAll(() => {
    if (!missing) addGpu()
  })

  it('takes a GPU that passes its self-test', async () => {
    await using pipeline = await load(folder, { device: 'auto' })
    expect(pipeline.info.devices).toEqual([{ name: 'cuda:0', description: 'interpreted GPU' }])
    expect(pipeline.info.deviceNote).toBeUndefined()
    await paint(pipeline)
  })

  it('takes the next GPU where the first fails it', async () => {
    fail({ device: 0, call: 'cudaLaunchKernelExC', error: launchFailure, nth: 3 })
    await using pipeline = await load(folder, { device: 'auto', precision: 'fast' })
    expect(pipeline.info.devices).toEqual([{ name: 'cuda:1', description: 'interpreted GPU' }])
    expect(pipeline.info.deviceNote).toBeUndefined()
  })

  it('takes the CPU where all fail it, and asks again what may have passed', async () => {
    fail({ call: 'cudaMalloc', error: outOfMemory, times: 1e6 })
    {
      await using pipeline = await load(folder, { device: 'auto', precision: 'bf16' })
      expect(pipeline.info.devices).toEqual([{ name: 'cpu', description: undefined }])
      // The first is lost since the test above.
      expect(pipeline.info.deviceNote).toMatch(
        /^cuda:0 failed its self-test: .* The workspace needs [\d.]+ MiB on cuda:1; /,
      )
    }
    setUp()
    await using pipeline = await load(folder, { device: 'auto', precision: 'bf16' })
    expect(pipeline.info.devices).toEqual([{ name: 'cuda:1', description: 'interpreted GPU' }])
  })
})
