// Bugs in matrix products whose operands the copy engine of Hopper brings.

import { driver, joined, patches, rows } from './hunters.ts'
import type { Mutant } from './mutant.ts'

const barriers: readonly Mutant[] = [
  rows(
    'gemm_boxed.cuh',
    'nobody waits until a step has been read',
    'wait_for_phase(read(ring.stage), ring.parity ^ 1);',
    '',
  ),
  rows(
    'gemm_boxed.cuh',
    'the first step waits for a phase that nobody ends',
    'wait_for_phase(read(ring.stage), ring.parity ^ 1)',
    'wait_for_phase(read(ring.stage), ring.parity)',
  ),
  rows(
    'gemm_boxed.cuh',
    'nobody waits until a step has arrived',
    'wait_for_phase(arrived(ring.stage), ring.parity);',
    '',
  ),
  rows(
    'gemm_boxed.cuh',
    'a step is taken as read before its products are finished',
    'arrive(read(before));',
    'arrive(read(ring.stage));',
  ),
  rows(
    'gemm_boxed.cuh',
    'one warp has read for all',
    'init_barrier(read(s), Tile.warps())',
    'init_barrier(read(s), 1)',
  ),
  rows(
    'gemm_boxed.cuh',
    'a step arrives without its B',
    'arrive_expecting(barrier, Tile.stage_bytes())',
    'arrive_expecting(barrier, Tile.m * Tile.depth * 2)',
  ),
  rows('gemm_boxed.cuh', 'barriers are not published to the copy engine', '      publish_barriers();\n', ''),
  rows(
    'gemm_boxed.cuh',
    'barriers are used before they are there',
    '    }\n    __syncthreads();\n    this->find_tile();',
    '    }\n    this->find_tile();',
  ),
  rows('gemm_boxed.cuh', 'parity does not change around the ring', 'parity ^= 1;', ''),
  rows(
    'gemm_boxed.cuh',
    'a stage too few in the ring',
    '++stage == Tile.stages',
    '++stage == Tile.stages - 1',
    {
      equivalent: 'a ring of fewer stages is one all the same',
    },
  ),
  rows(
    'gemm_boxed.cuh',
    'products of the last step are not waited for',
    'wait_for_products<0>();',
    'wait_for_products<1>();',
  ),
  rows('gemm_boxed.cuh', 'products of two steps go on', 'wait_for_products<1>();', 'wait_for_products<2>();'),
  rows(
    'gemm.cuh',
    'those who copy are expected where sums are exchanged',
    '"bar.sync 1, %0;" ::"n"(Tile.multipliers())',
    '"bar.sync 1, %0;" ::"n"(Tile.threads())',
  ),
  rows(
    'gemm_boxed.cuh',
    'no meeting before shared memory serves the epilogue',
    '    this->meet();\n    if (this->has_norm()) this->normalize_sums',
    '    if (this->has_norm()) this->normalize_sums',
  ),
]

const places: readonly Mutant[] = [
  rows(
    'gemm_boxed.cuh',
    'a boxed step goes on along the depth by half of itself',
    'k += Tile.depth;',
    'k += Tile.depth / 2;',
  ),
  rows('gemm_boxed.cuh', 'B of the first layer for all layers', 'Base::has_layers ? layer_ : 0', '0'),
  rows(
    'gemm_boxed.cuh',
    'B behind a tile of as many columns as rows',
    'copy_rows(stage + Tile.m * Tile.depth * 2, b',
    'copy_rows(stage + Tile.n * Tile.depth * 2, b',
  ),
  rows(
    'gemm.cuh',
    'the second group multiplies the rows of the first',
    'static_cast<int>(threadIdx.x) / 128 * 64 : 0',
    '0 : 0',
  ),
  rows(
    'gemm_boxed.cuh',
    'moments of another stage',
    'shared_ + ring.stage * Tile.stage_bytes(), left',
    'shared_ + before * Tile.stage_bytes(), left',
  ),
  rows(
    'gemm.cc',
    'boxes of splits overlap',
    'size.copying == Copying::engine ? box_columns : gemm_depth',
    'gemm_depth',
  ),
  rows('gemm.cc', 'boxes of B as high as those of A', 'args.n, args.k), tile.n)', 'args.n, args.k), tile.m)'),
  rows('gemm.cc', 'a map of one layer alone', 'i < all.gemm.layer_count', 'i < 1'),
  joined(
    'gemm_boxed.cuh',
    'the second matrix is read from where the first ends',
    'copy_rows(stage, maps_.second, k - a_.first_k, row, barrier)',
    'copy_rows(stage, maps_.second, k, row, barrier)',
  ),
  joined('gemm_boxed.cuh', 'the second matrix begins a step late', 'k >= a_.first_k', 'k > a_.first_k'),
  joined('linear.cc', 'a second matrix as wide as both', 'args.m, args.k - columns)', 'args.m, args.k)'),
  patches('gemm_boxed.cuh', 'taps of a box down first', 'if (++tap_x == a_.kw) {', 'if (++tap_x == a_.kh) {'),
  patches('gemm_boxed.cuh', 'channels do not begin anew with a tap', '          channel = 0;\n', ''),
  patches('gemm_boxed.cuh', 'right and down swapped', 'right, down, barrier', 'down, right, barrier'),
  patches(
    'gemm_boxed.cuh',
    'splits begin with the first channel',
    'channel = first_k_ - tap * a_.c',
    'channel = 0',
  ),
  patches(
    'tensor_map.cc',
    'outputs end a pixel early',
    '(outputs - 1) * stride - pad - (size - 1);',
    '(outputs - 1) * stride - pad - size;',
  ),
  patches('tensor_map.cc', 'corners as if nothing was padded', '{-size.pad_left, -size.pad_top}', '{0, 0}'),
  patches(
    'tensor_map.cc',
    'rows and columns of corners swapped',
    '{-size.pad_left, -size.pad_top}',
    '{-size.pad_top, -size.pad_left}',
  ),
  patches(
    'tensor_map.cc',
    'patches side by side where they are apart',
    '          size.stride};',
    '          1};',
  ),
  patches('tensor_map.cc', 'boxes of channels that are none', 'size.c % box_columns == 0', 'size.c % 8 == 0'),
  patches('conv2d.cc', 'enlarged pictures in boxes', 'a.upsample == 1 && fits_boxes', 'fits_boxes'),
]

const maps: readonly Mutant[] = [
  driver(
    'tensor_maps.cc',
    'strides of elements instead of bytes',
    'strides[3], stride = 2;',
    'strides[3], stride = 1;',
  ),
  driver('tensor_maps.cc', 'another swizzle', 'CU_TENSOR_MAP_SWIZZLE_128B', 'CU_TENSOR_MAP_SWIZZLE_64B'),
  driver('tensor_maps.cc', 'corners swapped', 'tensor.first, tensor.last', 'tensor.last, tensor.first'),
  driver('tensor_maps.cc', 'boxes of as many columns as rows', '{box_columns, rows}', '{rows, rows}'),
]

export const boxes: readonly Mutant[] = [...barriers, ...places, ...maps]
