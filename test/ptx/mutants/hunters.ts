// Which tests notice bugs in the matrix products.

import { hunting } from './mutant.ts'

export const linear = hunting(
  { files: ['test/kernels/linear.test.ts'], kernels: ['linear', 'gemm'] },
  'kernels/cuda',
)

export const conv2d = hunting(
  { files: ['test/kernels/conv2d.test.ts'], kernels: ['conv2d', 'gemm'] },
  'kernels/cuda',
)
