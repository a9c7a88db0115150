// Whether every kernel that is compiled is run by a case, on one of the GPUs that have its code, and whether the self-test of a
// user's GPU runs every kernel that a picture takes there.

import { describe, expect, inject, it } from 'vitest'
import { decodeNodes, stepNodes } from '../../bench/roofline/graphs.ts'
import { allCases, testedCases } from '../../lib/selftest/self-test.ts'
import { architectures } from './build.ts'
import { kernelsOf } from './compiled-kernels.ts'
import { device } from './device.ts'
import { gpus, hasPrecision, precisionsOf, variantsOf } from './played-gpus.ts'
import { encode, encodeCase } from './run-op.ts'

const missing = inject('ptxMissing')

const sharing = { sm_75: [75], 'sm_80, 86 and 89': [80, 86, 89], sm_90: [90], sm_120: [120] } as const
const instances = Object.entries(sharing).flatMap(([name, sharing]) =>
  (['f16', 'bf16', 'fast'] as const)
    .filter((precision) => hasPrecision(sharing[0], precision))
    .map((precision) => ({ name, precision, sharing })),
)

describe.skipIf(missing)(`cases${missing && ` (${missing})`}`, () => {
  it.for(instances)('run every kernel of $name in $precision', ({ precision, sharing }, { skip }) => {
    skip(!sharing.every((architecture) => architectures.includes(architecture)), 'was not built')
    const cases = testedCases.filter((c) => precisionsOf(c).includes(precision))
    const launched = gpus
      .filter(({ architecture }) => sharing.some((one) => one === architecture))
      .flatMap((gpu) => cases.flatMap((c) => [...variantsOf(gpu, c, precision).keys()]))
    const run = new Set(launched.flatMap((kernels) => kernels.split(' ')))
    expect([...kernelsOf(sharing[0], precision)].filter((kernel) => !run.has(kernel))).toEqual([])
  })

  it.for([
    ['RTX 2080 Ti', 75, 68],
    ['T4', 75, 40],
    ['A100', 80, 108],
    ['A30', 80, 56],
    ['RTX 3060', 86, 28],
    ['RTX 3070', 86, 46],
    ['RTX 3090', 86, 82],
    ['RTX 4060', 89, 24],
    ['RTX 4070', 89, 46],
    ['RTX 4080', 89, 76],
    ['RTX 4090', 89, 128],
    ['H100', 90, 132],
    ['H100 PCIe', 90, 114],
    ['RTX 5060', 120, 30],
    ['RTX 5080', 120, 84],
    ['RTX 5090', 120, 170],
  ] as const)('of the self-test run every kernel of SD 1.5 on %s', ([, architecture, processors]) => {
    const kernelsOfWords = (words: Uint32Array) =>
      device()
        .launchesOf(architecture, processors, words)
        .map(({ kernel }) => kernel)
    const run = new Set(allCases.flatMap((c) => kernelsOfWords(encodeCase(c))))
    const wanted = [...stepNodes(), ...decodeNodes()].flatMap((node) =>
      kernelsOfWords(encode(node, new Map(Object.entries(node.operands)))),
    )
    expect([...new Set(wanted)].filter((kernel) => !run.has(kernel))).toEqual([])
  })
})
