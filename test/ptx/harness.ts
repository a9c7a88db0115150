// `check` for the cases of the CPU kernels (test/kernels), on every architecture of the interpreted device. The test
// files there import './harness.ts'; vitest.config.ts puts this one in its place.

import { expect, inject, it } from 'vitest'
import { elementTypeOf, type GpuPrecision } from '../../lib/runtime/target.ts'
import { sumLossOf } from '../../lib/selftest/fast-sums.ts'
import { roundTo } from '../../lib/selftest/half.ts'
import { judge } from '../../lib/selftest/judge.ts'
import type { OpCase } from '../../lib/selftest/op-case.ts'
import { makeData, referenceOf } from '../../lib/selftest/run-case.ts'
import { architectures, elementTypes } from './build.ts'
import { gpus, hasPrecision, precisionsOf, variantsOf } from './played-gpus.ts'
import { runOn, storedAs } from './run-op.ts'

export type { MatrixCase, OpCase } from '../kernels/harness.ts'
export { titleOf } from '../kernels/harness.ts'

/** Fails unless the kernel is as exact as it must be on every architecture, in the precisions of the case. */
export async function check(c: OpCase): Promise<void> {
  for (const precision of precisionsOf(c)) if (elementTypes.includes(precision)) checkIn(precision, c)
}

function checkIn(precision: GpuPrecision, c: OpCase): void {
  const element = elementTypeOf(precision)
  const data = makeData(c, element)
  const truth = referenceOf(c, data, (value) => value)
  const naive = referenceOf(c, data, Math.fround)
  const sumLoss = sumLossOf(c, data, precision)
  for (const gpu of gpus.filter(({ architecture }) => architectures.includes(architecture))) {
    if (!hasPrecision(gpu.architecture, precision)) continue
    for (const [kernels, played] of variantsOf(gpu, c, precision)) {
      const { outputs } = runOn(played, c, data, precision)
      for (const [name, y] of outputs) {
        // Allowances are for results in float32: what is stored as an element must be as exact as that.
        const isElement = storedAs(c, name) === 'element'
        const store = isElement ? (value: number) => roundTo(element, value) : Math.fround
        const allowance = isElement ? 1 : (c.allowance ?? 1)
        const rounded = naive.get(name)!.map(store)
        const { wrong } = judge(y, truth.get(name)!, rounded, { store, allowance, sumLoss })
        if (wrong) expect.fail(`${name} by ${kernels} on sm_${gpu.architecture}, ${precision}: ${wrong}`)
      }
    }
  }
}

const missing = inject('ptxMissing')
it.runIf(missing)(`CUDA kernels are not tested: ${missing}`, () => {})
