// `check` for the cases of the CPU kernels (test/kernels), on every architecture of the interpreted device. The test
// files there import './harness.ts'; vitest.config.ts puts this one in its place.

import { expect, inject, it } from 'vitest'
import { elementTypeOf, type GpuPrecision } from '../../lib/runtime/target.ts'
import { lossOf, sumLossOf } from '../../lib/selftest/fast-sums.ts'
import { roundTo } from '../../lib/selftest/half.ts'
import { judge } from '../../lib/selftest/judge.ts'
import type { OpCase } from '../../lib/selftest/op-case.ts'
import { makeData, referenceOf } from '../../lib/selftest/run-case.ts'
import { architectures, elementTypes } from './build.ts'
import { runOn, storedAs } from './run-op.ts'

export type { MatrixCase, OpCase } from '../kernels/harness.ts'
export { titleOf } from '../kernels/harness.ts'

/** Different numbers of processors make the hosts choose different tiles and splits. */
const gpus = [
  { architecture: 75, processors: 1, order: 'forward' },
  { architecture: 80, processors: 108, order: 'reverse' },
  { architecture: 86, processors: 1, order: 'random' },
  { architecture: 89, processors: 20, order: 'reverse' },
  { architecture: 90, processors: 2, order: 'random' },
  { architecture: 120, processors: 170, order: 'forward' },
] as const

/** Kernels that cases of this file ran. */
export const launchedKernels = new Set<string>()

/**
 * Fails unless the kernel is as exact as it must be on every architecture. The cases with bf16 weights run with bf16
 * elements, which sm_75 does not have; all others run with fp16, and those with fp16 weights with sums in fp16 as well.
 */
export async function check(c: OpCase): Promise<void> {
  const precisions: readonly GpuPrecision[] =
    c.dtype === 'bf16' ? ['bf16'] : c.dtype === 'f16' && lossOf(c.op, 'fast') > 0 ? ['f16', 'fast'] : ['f16']
  for (const precision of precisions) if (elementTypes.includes(precision)) checkIn(precision, c)
}

function checkIn(precision: GpuPrecision, c: OpCase): void {
  const element = elementTypeOf(precision)
  const data = makeData(c, element)
  const truth = referenceOf(c, data, (value) => value)
  const naive = referenceOf(c, data, Math.fround)
  const sumLoss = sumLossOf(c, data, precision)
  for (const gpu of gpus.filter(({ architecture }) => architectures.includes(architecture))) {
    if (element === 'bf16' && gpu.architecture < 80) continue
    // The kernels are those of f16 (fast.test.ts).
    if (precision === 'fast' && gpu.architecture === 90) continue
    const { outputs, launched } = runOn(gpu, c, data, precision)
    for (const { kernel } of launched) launchedKernels.add(kernel)
    for (const [name, y] of outputs) {
      // Allowances are for results in float32: what is stored as an element must be as exact as that.
      const isElement = storedAs(c, name) === 'element'
      const store = isElement ? (value: number) => roundTo(element, value) : Math.fround
      const allowance = isElement ? 1 : (c.allowance ?? 1)
      const { wrong } = judge(y, truth.get(name)!, naive.get(name)!.map(store), { store, allowance, sumLoss })
      if (wrong) expect.fail(`${name} on sm_${gpu.architecture}, ${precision}: ${wrong}`)
    }
  }
}

const missing = inject('ptxMissing')
it.runIf(missing)(`CUDA kernels are not tested: ${missing}`, () => {})
