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

/** Of enlarged pictures, whose taps are summed. */
export const quarters = hunting(
  { files: ['test/kernels/conv2d.test.ts'], title: 'enlarged picture', kernels: ['conv2d'] },
  'kernels/cuda',
)

// On Hopper, where the copy engine brings what is multiplied: rows of one matrix, patches of a picture, rows of two matrices.

export const rows = hunting(
  { files: ['test/kernels/linear.test.ts'], kernels: ['linear', 'gemm'], architecture: 90 },
  'kernels/cuda',
)

export const patches = hunting(
  { files: ['test/kernels/conv2d.test.ts'], kernels: ['conv2d', 'gemm', 'linear'], architecture: 90 },
  'kernels/cuda',
)

export const joined = hunting(
  {
    files: ['test/kernels/linear.test.ts'],
    title: 'concatLinear',
    kernels: ['concat_linear', 'gemm'],
    architecture: 90,
  },
  'kernels/cuda',
)

/** What the driver is told of tensors. */
export const driver = hunting(
  {
    files: ['test/ptx/driver-maps.test.ts', 'test/ptx/tensor-maps.test.ts'],
    kernels: ['conv2d', 'linear', 'concat_linear'],
    architecture: 90,
  },
  'native/cuda',
)
