// What a worker used of a GPU goes with it: the process lives on, and so would streams, pinned memory and kernels.

import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { it as check, expect, inject } from 'vitest'
import { type HandPlan, linear, linearWeights, words } from '../native/plans.ts'
import { architectures } from './build.ts'
import { setUp, stateOf } from './player.ts'

const missing = inject('ptxMissing') || (architectures.includes(80) ? '' : 'sm_80 was not built')
const script = fileURLToPath(new URL('../native/children/worker.mjs', import.meta.url))
const [m, n, k] = [16, 64, 64]

/** `linear` with inputs and outputs as GPUs take them. */
function inHalves(plan: HandPlan): HandPlan {
  const values = plan.values.map((value) =>
    value.space === 'weight' ? value : { ...value, bytes: value.bytes / 2, dtype: 'f16' as const },
  )
  return { ...plan, values }
}

check.skipIf(missing).each(['dispose', 'nothing'])(
  'of its executor too, where it ends with %s',
  async (ending) => {
    setUp()
    const workerData = {
      words: [...words(inHalves(linear(m, n, k)))],
      weights: linearWeights(n, k),
      inputs: [m * k * 2],
      outputs: [m * n * 2],
      ending,
    }
    const env = { ...process.env, TINTYPE_ADDON: process.env.TINTYPE_CUDA_ADDON }
    const worker = new Worker(script, { workerData, env })
    expect(await once(worker, 'exit')).toEqual([0])
    const { calls, allocations, pinned } = stateOf(0)
    expect(calls.cudaLaunchKernelExC).toBeGreaterThan(0)
    expect({ allocations, pinned }).toEqual({ allocations: 0, pinned: 0 })
    expect(calls.cudaStreamDestroy).toBe(calls.cudaStreamCreateWithFlags)
  },
)
