// Bugs in the matrix products of linear layers and convolutions.

import { conv2d, linear } from './hunters.ts'
import { hunting, type Mutant } from './mutant.ts'

const gated = { title: 'linearGeglu' }

const pipeline: readonly Mutant[] = [
  linear('gemm.cuh', 'wait_group lets one group too many be under way', 'ahead - 1>();', 'ahead>();'),
  linear(
    'gemm.cuh',
    'no barrier after the wait',
    '__syncthreads();  // the step has arrived',
    '// the step has arrived',
  ),
  linear('gemm.cuh', 'copy into the stage that is being read', 'copy_step(writing)', 'copy_step(reading)'),
  linear(
    'gemm.cuh',
    'no barrier before shared memory serves the epilogue',
    '__syncthreads();\n    if constexpr (Tile.slices == 2)',
    'if constexpr (Tile.slices == 2)',
  ),
  linear(
    'gemm.cuh',
    'no sync of the warp between writing and reading its sums',
    'stage(m);\n      __syncwarp();',
    'stage(m);',
  ),
  linear(
    'gemm.cuh',
    'first steps beyond the depth are copied',
    'if (s < steps) copy_step(s);',
    'copy_step(s);',
    {
      title: 'as in the UNet',
      equivalent: 'copies beyond the depth fill zeros into stages that nobody reads',
    },
  ),
  linear(
    'gemm.cuh',
    'a split goes on to the end of the depth',
    'min(a_.k, first_k + a_.split_depth)',
    'a_.k',
  ),
  linear('async_copy.cuh', 'copies are never committed', '"cp.async.commit_group;"', '""'),
  linear('async_copy.cuh', 'no zeros behind the end', 'wanted ? 16 : 0', '16'),
]

const fragments: readonly Mutant[] = [
  linear(
    'gemm.cuh',
    'operands of the product swapped',
    'b[n / 2][n % 2 * 2], b[n / 2][n % 2 * 2 + 1]',
    'b[n / 2][n % 2 * 2 + 1], b[n / 2][n % 2 * 2]',
  ),
  linear(
    'gemm.cuh',
    'ldmatrix reads another chunk than was swizzled',
    'swizzle<Tile.depth / 8>(row, chunk_of_slice(k) + lane_ / 8 % 2)',
    'swizzle<Tile.depth / 8>(row, chunk_of_slice(k) + (lane_ / 8 % 2 ^ 1))',
  ),
  linear(
    'gemm.cuh',
    'B is looked for behind a tile of the wrong height',
    'stage_b = stage + Tile.m * Tile.depth * 2;\n    const int row',
    'stage_b = stage + Tile.n * Tile.depth * 2;\n    const int row',
    { architecture: 75 },
  ),
  linear(
    'tensor_core.cuh',
    'halves of B swapped in the instruction of sm_75',
    'multiply_add(d, {a[2], a[3]}, b1);',
    'multiply_add(d, {a[2], a[3]}, b0);',
    { architecture: 75 },
  ),
  linear(
    'element.cuh',
    'halves of a pair swapped',
    'cvt.rn.f16x2.f32 %0, %1, %2',
    'cvt.rn.f16x2.f32 %0, %2, %1',
  ),
]

const gathering: readonly Mutant[] = [
  linear(
    'gemm_gather.cuh',
    'one row behind the last is read',
    'inside && i * Shape::rows_apart < rows_left_',
    'inside && i * Shape::rows_apart <= rows_left_',
  ),
  linear(
    'gemm_gather.cuh',
    'the depth has no end',
    'copy_step(uint32_t target) {\n    const bool inside = depth_left_ > 0;',
    'copy_step(uint32_t target) {\n    const bool inside = true;',
  ),
  linear('swizzle.cuh', 'another swizzle, the same for all', 'chunk ^ (row >> 1 & 3)', 'chunk ^ (row & 3)', {
    title: 'as in the UNet',
    equivalent: 'writers and readers agree: banks conflict, which the ledger counts',
  }),
  conv2d(
    'gemm_gather.cuh',
    'padding of the wrong side',
    'oy * a.stride - a.pad_top',
    'oy * a.stride - a.pad_left',
  ),
  conv2d(
    'gemm_gather.cuh',
    'wrong stride along a row',
    '(rest - oy * a.wo) * a.stride',
    '(rest - oy * a.wo)',
  ),
  conv2d(
    'gemm_gather.cuh',
    'one row below the picture counts as inside',
    '(patch.y + r) < static_cast<unsigned>(height)',
    '(patch.y + r) <= static_cast<unsigned>(height)',
  ),
  conv2d('gemm_gather.cuh', 'odd rows of an enlarged picture read as even ones', 'inside_[i] >> 30 & 1', '0'),
  conv2d(
    'gemm_gather.cuh',
    'at most one tap is passed in a step',
    'while (channel_ >= a_.c)',
    'if (channel_ >= a_.c)',
  ),
  conv2d(
    'gemm_gather.cuh',
    'depth of a gathered patch has no end',
    'inside = k < end_k_ && static_cast',
    'inside = static_cast',
    { title: 'odd', equivalent: 'what is read behind the depth is multiplied by the zeros of the weights' },
  ),
  conv2d(
    'gemm_gather.cuh',
    'rows behind the last are gathered',
    'inside_[i] = m < a.m ? inside : 0;',
    'inside_[i] = inside;',
    { title: 'as in the models', equivalent: 'they are those of row 0, and their sums are not stored' },
  ),
]

const epilogue: readonly Mutant[] = [
  linear('gemm.cuh', 'one row behind the last is stored', 'row < a_.m && column', 'row <= a_.m && column'),
  linear(
    'gemm_epilogue.cuh',
    'residual added before the activation',
    '  activate(v, a.activation);\n  if (a.residual) {\n    unpack(residual, more);\n    add();\n  }\n',
    '  if (a.residual) {\n    unpack(residual, more);\n    add();\n  }\n  activate(v, a.activation);\n',
  ),
  linear(
    'gemm.cuh',
    'a row is stored without regard to its end',
    'if (!gated && a_.n % chunk != 0) return',
    'if (false) return',
  ),
  linear(
    'gemm_epilogue.cuh',
    'residual of odd rows added before the activation too',
    'float activated[] = {v};',
    'if (a.residual) v += to_float(elements(a.residual)[at]);\n  float activated[] = {v};',
  ),
  linear(
    'gemm.cuh',
    'residuals of the columns before',
    'residual[pass] = next[pass];\n      ask(c + across * width);',
    'residual[pass] = next[pass];\n      ask(c);',
    // Whose GPU has so few processors that it takes tiles of more than one turn.
    { architecture: 86 },
  ),
  conv2d(
    'gemm_epilogue.cuh',
    'row bias of the next picture for its last row',
    'bias_row = row / a.row_bias_period',
    'bias_row = (row + 1) / a.row_bias_period',
  ),
  linear(
    'gemm.cuh',
    'partial sums stored 16 bytes at a time in odd rows',
    'a_.n - column, a_.n % 4 == 0,\n                   row.unit',
    'a_.n - column, true,\n                   row.unit',
    { kernels: ['gemm'] },
  ),
  linear(
    'gemm.cuh',
    'gates get the bias of values',
    'load(own.bias + (a_.n + column) / 2, gate_bias)',
    'load(own.bias + column / 2, gate_bias)',
    gated,
  ),
  linear(
    'gemm_epilogue.cuh',
    'values and gates swapped',
    '(value[i] + bias[i]) * gelu(gate[i] + gate_bias[i])',
    'gelu(value[i] + bias[i]) * (gate[i] + gate_bias[i])',
    gated,
  ),
  linear(
    'gemm.cuh',
    'the last split is not added',
    'split = 0; split < a_.splits;',
    'split = 0; split < a_.splits - 1;',
  ),
  linear(
    'arrivals.cuh',
    'a part is not published before its block arrives',
    '__threadfence();\n    *word',
    '*word',
  ),
  linear(
    'arrivals.cuh',
    'parts of others are read before they are acquired',
    '1 : 0;\n    __threadfence();',
    '1 : 0;',
  ),
  linear(
    'arrivals.cuh',
    'the counter of arrivals is left for the next launch',
    'atomicInc(counter, expected - 1)',
    'atomicAdd(counter, 1)',
  ),
]

const slices: readonly Mutant[] = [
  linear(
    'gemm.cuh',
    'both slices are the first',
    'return slice() * (slice_depth / chunk) + k * 2;',
    'return k * 2;',
  ),
  linear(
    'gemm.cuh',
    'no barrier between handing sums over and adding them',
    '    __syncthreads();\n#pragma unroll\n    for (int m = 0; m < tiles_m; m++) {\n#pragma unroll\n      for (int n = 0; n < tiles_n; n++) {\n        const float4 handed',
    '#pragma unroll\n    for (int m = 0; m < tiles_m; m++) {\n#pragma unroll\n      for (int n = 0; n < tiles_n; n++) {\n        const float4 handed',
  ),
  linear('gemm.cuh', 'a warp keeps the rows of the other', 'slice() == 1;', 'slice() == 0;'),
  linear(
    'gemm.cuh',
    'a warp adds what it handed over itself',
    'handed = place(other, m, n)',
    'handed = place(warp, m, n)',
  ),
  linear(
    'gemm.cuh',
    'sums are handed over where rows are staged',
    'reinterpret_cast<float4*>(shared_ + Tile.warps() * Tile.staging_floats() * 4)',
    'reinterpret_cast<float4*>(shared_)',
  ),
  linear('gemm.cc', 'slices count as a whole depth of loads', 'tile.depth / tile.slices;', 'tile.depth;', {
    files: ['test/ptx/choices.test.ts'],
    title: 'A100',
    kernels: [],
  }),
]

const concat = hunting(
  { files: ['test/kernels/linear.test.ts'], title: 'side by side', kernels: ['concat_linear'] },
  'kernels/cuda',
)

const concats: readonly Mutant[] = [
  concat('gemm_gather.cuh', 'rows never go on in the second matrix', 'if (k_ == a_.first_k) find();', ''),
  concat(
    'gemm_gather.cuh',
    'columns of the second matrix counted from the first',
    '(is_first ? k_ : k_ - a_.first_k) + Shape::own_k()',
    'k_ + Shape::own_k()',
  ),
  concat(
    'gemm_gather.cuh',
    'rows of the second matrix as far apart as those of the first',
    'stride = is_first ? a_.first_k : a_.k - a_.first_k;',
    'stride = a_.first_k;',
  ),
  concat(
    'gemm_gather.cuh',
    'rows behind the last one of both matrices are read',
    'row_ + i * Shape::rows_apart < a_.m;',
    'true;',
  ),
]

const choices = hunting(
  { files: ['test/ptx/choices.test.ts'], title: 'leaves out the tile', kernels: [] },
  'kernels/cuda',
)

const host: readonly Mutant[] = [
  choices(
    'gemm.cc',
    'fast: a tile is chosen that has no kernel',
    'if (!has_tile(*tile, gpu.architecture, gpu.is_fast, size.copying)) continue;',
    '',
  ),
  linear(
    'gemm.cc',
    'workspace for one split too few',
    'variant.splits * size.layers',
    '(variant.splits - 1) * size.layers',
  ),
  linear(
    'gemm.cc',
    'steps that do not divide among splits are lost',
    'ceil_div(ceil_div(size.k, unit), splits))',
    'ceil_div(size.k, unit) / splits)',
  ),
  linear(
    'gemm.cc',
    'shared memory a stage short',
    'static_cast<uint32_t>(tile.threads()), all,\n               static_cast<size_t>(tile.shared_bytes())',
    'static_cast<uint32_t>(tile.threads()), all,\n               static_cast<size_t>(tile.shared_bytes() - tile.stage_bytes())',
  ),
  linear(
    'linear.cc',
    'wrong stride of packed weights',
    'static_cast<int32_t>(packed_columns(size.k))',
    'static_cast<int32_t>(size.k)',
  ),
  linear('linear.cc', 'rows of 8 bytes pass for aligned', 'k % 8 == 0', 'k % 4 == 0'),
  linear(
    'pack.cc',
    'rows of gates not in turns with values',
    'turn % 2 * (rows / 2) + turn / 2 * gate_rows',
    'turn * gate_rows',
    gated,
  ),
  conv2d('pack.cc', 'channels and taps as in the file', 'channel * taps + tap', 'tap * channels + channel'),
  conv2d('conv2d.cc', 'pixels of 8 bytes pass for aligned', 'a.c % 8 == 0 &&', 'a.c % 4 == 0 &&'),
  conv2d(
    'conv2d.cc',
    'one row bias for all taken for one each',
    'a.rows == 1 ? a.n * a.ho * a.wo : a.ho * a.wo',
    'a.ho * a.wo',
  ),
  conv2d(
    'conv2d.cc',
    'partial sums over the normalised picture',
    '(launcher_.workspace()) + bytes_',
    '(launcher_.workspace())',
  ),
  conv2d(
    'conv2d.cc',
    'a convolution that skips pixels taken for a linear layer',
    ' && a.stride == 1 &&',
    ' &&',
  ),
]

export const gemm: readonly Mutant[] = [
  ...pipeline,
  ...fragments,
  ...gathering,
  ...epilogue,
  ...slices,
  ...concats,
  ...host,
]
