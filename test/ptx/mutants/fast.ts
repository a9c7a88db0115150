// Bugs in sums of fp16.

import { hunting, type Mutant } from './mutant.ts'

const fast = hunting(
  { files: ['test/ptx/fast.test.ts'], kernels: ['linear', 'gemm'], precision: 'fast' },
  'kernels/cuda',
)

export const fastSums: readonly Mutant[] = [
  fast(
    'gemm.cuh',
    'fast: sums begin anew in the middle of a step',
    'HalfSums of_step = {};\n#pragma unroll\n        for (int k = 0; k < parts; k++) ',
    'HalfSums of_step;\n#pragma unroll\n        for (int k = 0; k < parts; k++) of_step = {}, ',
  ),
  fast('gemm.cuh', 'fast: A of the first half of a step for both', 'a[m][k], b[k]', 'a[m][0], b[k]'),
  fast('gemm.cuh', 'fast: sums in float32', 'if constexpr (is_fast)', 'if constexpr (false)'),
  fast(
    'tensor_core.cuh',
    'fast: halves of the rows swapped',
    'unpack(pairs[half])',
    'unpack(pairs[1 - half])',
    {
      files: ['test/kernels/linear.test.ts'],
      title: 'as in the UNet',
    },
  ),
  fast('tensor_core.cuh', 'fast: half of B twice on sm_75', 'half == 0 ? b0 : b1', 'b0', {
    architecture: 75,
    files: ['test/kernels/linear.test.ts'],
    title: 'as in the UNet',
  }),
]
