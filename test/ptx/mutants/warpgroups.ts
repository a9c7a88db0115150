// Bugs in what four warps of Hopper multiply together while they go on.

import { hunting, type Mutant } from './mutant.ts'

const hopper = hunting(
  { files: ['test/kernels/linear.test.ts'], kernels: ['linear'], architecture: 90 },
  'kernels/cuda',
)
/** Where they copy as well: what the copy engine cannot. */
const gathering = hunting(
  { files: ['test/kernels/conv2d.test.ts'], kernels: ['conv2d', 'gemm'], architecture: 90 },
  'kernels/cuda',
)

export const warpgroups: readonly Mutant[] = [
  gathering(
    'warpgroup.cuh',
    'tensor cores are not told what was written to shared memory',
    '"fence.proxy.async.shared::cta;"',
    '""',
  ),
  gathering(
    'gemm.cuh',
    'tensor cores are told what was written when the warps have met',
    '      if constexpr (by_warpgroups) publish_to_tensor_cores();\n      __syncthreads();',
    '      __syncthreads();\n      if constexpr (by_warpgroups) publish_to_tensor_cores();',
  ),
  gathering(
    'gemm.cuh',
    'no barrier between copies and products of a warpgroup',
    '__syncthreads();  // the step has arrived',
    '// the step has arrived',
  ),
  gathering('gemm.cuh', 'a warpgroup waits for one group of copies too few', 'ahead - 1>();', 'ahead>();'),
  gathering(
    'gemm.cuh',
    'copy into the place that a warpgroup is reading',
    'copy_step(writing)',
    'copy_step(reading)',
  ),
  hopper(
    'warpgroup.cuh',
    'products are not fenced from their registers',
    '"wgmma.fence.sync.aligned;"',
    '""',
  ),
  hopper('warpgroup.cuh', 'products are never committed', '"wgmma.commit_group.sync.aligned;"', '""'),
  hopper(
    'warpgroup.cuh',
    'nobody waits for products',
    '"wgmma.wait_group.sync.aligned %0;" ::"n"(Groups) :',
    '"" ::"n"(Groups) :',
  ),
  hopper(
    'warpgroup.cuh',
    'the last products are not waited for',
    'wait_group.sync.aligned %0;" ::"n"(Groups)',
    'wait_group.sync.aligned %0;" ::"n"(Groups + 1)',
  ),
  hopper('warpgroup.cuh', 'eight rows of a matrix too far apart', '1024 >> 4', '2048 >> 4'),
  hopper(
    'warpgroup.cuh',
    'matrices begin a row late',
    '(address & 0x3ffff) >> 4',
    '((address + 128) & 0x3ffff) >> 4',
  ),
  hopper(
    'gemm.cuh',
    'a warpgroup multiplies the first products of a row four times',
    '* Tile.depth * 2 + k * 32)',
    '* Tile.depth * 2)',
  ),
  hopper(
    'gemm.cuh',
    'a warpgroup multiplies by the first products of a column four times',
    'matrix_descriptor(stage_b + k * 32)',
    'matrix_descriptor(stage_b)',
  ),
  hopper(
    'gemm.cuh',
    'a warpgroup looks for B behind a tile of the wrong height',
    'stage_b = stage + Tile.m * Tile.depth * 2;\n    begin_products',
    'stage_b = stage + Tile.n * Tile.depth * 2;\n    begin_products',
  ),
  hopper(
    'gemm.cuh',
    'the second 64 rows of a warpgroup are the first again',
    'stage_a + m * 64 * Tile.depth * 2 + k * 32',
    'stage_a + k * 32',
  ),
  hopper(
    'gemm.cuh',
    'rows of a warp side by side, as where warps multiply alone',
    '(m + r / 16) * Tile.rows_apart + r % 16;\n    return {y',
    '(m + r / 16) * 16 + r % 16;\n    return {y',
  ),
  hopper(
    'gemm.cuh',
    'warps of a warpgroup half as far apart',
    'by_warpgroups ? threadIdx.x / 32 * 16',
    'by_warpgroups ? threadIdx.x / 32 * 8',
  ),
  gathering(
    'gemm.cc',
    'a warpgroup is launched with the memory of a tile of other GPUs',
    'tile_on(*variant.tile, launcher.gpu().architecture, Copying::threads)',
    'tile_on(*variant.tile, 80, Copying::threads)',
  ),
]
