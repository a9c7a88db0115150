// Bugs in what hosts say of tensors whose boxes the copy engine of Hopper brings, and in which boxes kernels ask for.

import { driver, patches, rows } from './hunters.ts'
import type { Mutant } from './mutant.ts'

const waits: readonly Mutant[] = [
  rows(
    'gemm_boxed.cuh',
    'what is read is given back before there is any',
    'if (left != depth_ && threadIdx.x % 32 == 0) arrive',
    'if (threadIdx.x % 32 == 0) arrive',
  ),
  rows(
    'gemm_boxed.cuh',
    'lanes of a warp have not read yet what it gives back',
    '      __syncwarp();\n      if (left',
    '      if (left',
  ),
  rows(
    'gemm_boxed.cuh',
    'moments are read after the arrival',
    `      if (this->has_norm()) moments.add(shared_ + ring.stage * Tile.stage_bytes(), left);
      // The products of the step before are finished, so that it may be overwritten; these go on.
      wait_for_products<1>();
      __syncwarp();
      if (left != depth_ && threadIdx.x % 32 == 0) arrive(read(before));`,
    `      wait_for_products<0>();
      __syncwarp();
      if (threadIdx.x % 32 == 0) arrive(read(ring.stage));
      if (this->has_norm()) moments.add(shared_ + ring.stage * Tile.stage_bytes(), left);`,
  ),
  rows('mbarrier.cuh', 'whoever waits looks once', 'while (!has_ended) {', 'if (!has_ended) {'),
  rows(
    'mbarrier.cuh',
    'bytes are expected without an arrival',
    'mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0]',
    'mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [%0]',
  ),
]

const depths: readonly Mutant[] = [
  rows(
    'gemm_boxed.cuh',
    'splits begin a step after the other',
    'first_k_(blockIdx.z * a.gemm.split_depth)',
    'first_k_(blockIdx.z * Tile.depth)',
  ),
  rows(
    'gemm_boxed.cuh',
    'all splits are as deep as the first',
    'depth_(min(a.gemm.k - first_k_, a.gemm.split_depth))',
    'depth_(a.gemm.split_depth)',
  ),
  rows(
    'gemm_boxed.cuh',
    'no step for what is left of the depth',
    'return (depth_ + Tile.depth - 1) / Tile.depth;',
    'return depth_ / Tile.depth;',
  ),
  rows('gemm_boxed.cuh', 'moments of all of the depth for a split', 'moments.of(depth_)', 'moments.of(a_.k)'),
  patches(
    'gemm_boxed.cuh',
    'as many taps in a row as in a column',
    'tap_y = tap / a_.kw',
    'tap_y = tap / a_.kh',
  ),
  patches('gemm_boxed.cuh', 'splits begin with the first tap', 'tap_x = tap - tap_y * a_.kw', 'tap_x = 0'),
]

const boxes: readonly Mutant[] = [
  rows(
    'gemm_boxed.cuh',
    'columns of B by tiles of rows',
    'column = column_tile_ * Tile.n;',
    'column = column_tile_ * Tile.m;',
  ),
  rows('gemm_boxed.cuh', 'B from the row of A', 'b, k, column, barrier)', 'b, k, row, barrier)'),
  rows(
    'box_copy.cuh',
    'the row of a box before its column',
    '[%1, {%2, %3}], [%4];"',
    '[%1, {%3, %2}], [%4];"',
  ),
  patches(
    'box_copy.cuh',
    'pictures and rows of pixels swapped',
    '{%2, %3, %4, %5}], [%6]',
    '{%2, %3, %5, %4}], [%6]',
  ),
  patches(
    'gemm_boxed.cuh',
    'patches of the first rows for all',
    'BoxedRows::patches ? row : 0',
    'BoxedRows::patches ? 0 : row',
  ),
  patches(
    'gemm_gather.cuh',
    'corners of patches a pixel to the right',
    'a.stride - a.pad_left;\n  }',
    'a.stride - a.pad_left + 1;\n  }',
  ),
]

const tensors: readonly Mutant[] = [
  rows(
    'tensor_map.cc',
    'rows and columns of a tensor swapped',
    '2, {columns, rows, 1, 1}',
    '2, {rows, columns, 1, 1}',
  ),
  rows('gemm.cc', 'boxes of A as high as those of B', 'all.a = map(a, tile.m);', 'all.a = map(a, tile.n);'),
  rows(
    'gemm.cc',
    'splits of boxes as those of threads',
    'divided(args, tile, variant, Copying::engine, launcher)',
    'divided(args, tile, variant, Copying::threads, launcher)',
  ),
  patches(
    'conv2d.cc',
    'pads of boxes swapped',
    'a.stride, a.pad_top, a.pad_left}',
    'a.stride, a.pad_left, a.pad_top}',
  ),
  patches(
    'conv2d.cc',
    'height and width of boxed pictures swapped',
    '{a.n, a.h, a.w, a.c, a.ho',
    '{a.n, a.w, a.h, a.c, a.ho',
  ),
  patches('tensor_map.cc', 'patches too far apart in boxes', 'size.stride <= 8', 'size.stride <= 9'),
  patches('tensor_map.cc', 'first corners too far away', 'is_corner(-size.pad_left) &&', 'true &&'),
  patches('tensor_map.cc', 'first corners too far up', 'is_corner(-size.pad_top) &&', 'true &&'),
  patches('tensor_map.cc', 'a corner too far by one', 'place >= -128', 'place >= -129'),
  patches('tensor_map.cc', 'a last corner too far by one', 'place <= 127', 'place <= 128'),
  patches(
    'tensor_map.cc',
    'last corners too far away',
    'is_corner(last_corner(size.w, size.wo, size.stride, size.pad_left))',
    'true',
  ),
  patches(
    'tensor_map.cc',
    'last corners too far down',
    'is_corner(last_corner(size.h, size.ho, size.stride, size.pad_top))',
    'true',
  ),
]

const drivers: readonly Mutant[] = [
  driver('tensor_maps.cc', 'pixels side by side for the driver', '{1, step, step, 1}', '{1, 1, 1, 1}'),
  driver(
    'tensor_maps.cc',
    'a refusal is nothing',
    'if (result != CUDA_SUCCESS)',
    'if (result == CUDA_ERROR_UNKNOWN)',
  ),
  driver(
    'device.cc',
    'a function that the driver lacks is called',
    'result != cudaDriverEntryPointSuccess',
    'false',
  ),
  driver(
    'tensor_maps.cc',
    'as many pixels in a box as it has channels',
    'rows, steps, interleave, swizzle, promotion, outside),\n          "cuTensorMapEncodeIm2col"',
    'box_columns, steps, interleave, swizzle, promotion, outside),\n          "cuTensorMapEncodeIm2col"',
  ),
  driver(
    'tensor_maps.cc',
    'what is outside is no number',
    'OOB_FILL_NONE;',
    'OOB_FILL_NAN_REQUEST_ZERO_FMA;',
  ),
]

export const tensorMaps: readonly Mutant[] = [...waits, ...depths, ...boxes, ...tensors, ...drivers]
