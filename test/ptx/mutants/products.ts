// Bugs in what multiplies matrices: linear layers, convolutions, attention.

import { hunting, type Mutant } from './mutant.ts'

const linear = hunting(
  { files: ['test/kernels/linear.test.ts'], kernels: ['linear', 'gemm'] },
  'kernels/cuda',
)
const fast = hunting(
  { files: ['test/ptx/fast.test.ts'], kernels: ['linear', 'gemm'], precision: 'fast' },
  'kernels/cuda',
)
const conv2d = hunting(
  { files: ['test/kernels/conv2d.test.ts'], kernels: ['conv2d', 'gemm'] },
  'kernels/cuda',
)
const attention = hunting(
  { files: ['test/kernels/ops.test.ts'], title: 'attention', kernels: ['attention'] },
  'kernels/cuda',
)
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
    '__syncthreads();\n    if (has_norm()) normalize_sums',
    'if (has_norm()) normalize_sums',
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
    'swizzle<Tile.depth / 8>(row, k * 2 + lane_ / 8 % 2)',
    'swizzle<Tile.depth / 8>(row, k * 2 + (lane_ / 8 % 2 ^ 1))',
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

const hopper = hunting(
  { files: ['test/kernels/linear.test.ts'], kernels: ['linear'], architecture: 90 },
  'kernels/cuda',
)

/** Of what four warps multiply together while they go on. */
const warpgroups: readonly Mutant[] = [
  hopper(
    'warpgroup.cuh',
    'tensor cores are not told what was written to shared memory',
    '"fence.proxy.async.shared::cta;"',
    '""',
  ),
  hopper(
    'gemm.cuh',
    'tensor cores are told what was written when the warps have met',
    '      if constexpr (by_warpgroups) publish_to_tensor_cores();\n      __syncthreads();',
    '      __syncthreads();\n      if constexpr (by_warpgroups) publish_to_tensor_cores();',
  ),
  hopper(
    'gemm.cuh',
    'no barrier between copies and products of a warpgroup',
    '__syncthreads();  // the step has arrived',
    '// the step has arrived',
  ),
  hopper('gemm.cuh', 'a warpgroup waits for one group of copies too few', 'ahead - 1>();', 'ahead>();'),
  hopper(
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
  hopper('warpgroup.cuh', 'nobody waits for products', '"wgmma.wait_group.sync.aligned 0;"', '""'),
  hopper(
    'warpgroup.cuh',
    'the last products are not waited for',
    'wait_group.sync.aligned 0',
    'wait_group.sync.aligned 1',
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
    'stage + m * 64 * Tile.depth * 2 + k * 32',
    'stage + k * 32',
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
  hopper(
    'gemm.cc',
    'a warpgroup is launched with the memory of a tile of other GPUs',
    'tile_on(*variant.tile, launcher.gpu().architecture)',
    'tile_on(*variant.tile, 80)',
  ),
]

const fastSums: readonly Mutant[] = [
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

const gathering: readonly Mutant[] = [
  linear(
    'gemm_gather.cuh',
    'one row behind the last is read',
    'inside && i * Shape::rows_apart < left_',
    'inside && i * Shape::rows_apart <= left_',
  ),
  linear(
    'gemm_gather.cuh',
    'the depth has no end',
    'const bool inside = k_ < end_k_;',
    'const bool inside = true;',
  ),
  linear(
    'gemm_gather.cuh',
    'another swizzle, the same for all',
    'chunk ^ (row >> 1 & 3)',
    'chunk ^ (row & 3)',
    {
      title: 'as in the UNet',
      equivalent: 'writers and readers agree: banks conflict, which the ledger counts',
    },
  ),
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

const normed = { title: 'gamma' }
const norms: readonly Mutant[] = [
  linear('gemm_norm.cuh', 'sums of squares around 0', 'around_ = to_float(', 'around_ = 0 * to_float(', {
    files: ['test/ptx/folded-weights.test.ts'],
    title: 'around a number',
  }),
  linear(
    'gemm_norm.cuh',
    'the part of a step at the end of the depth counts as a whole',
    'left >= Tile.depth',
    'left > 0',
    normed,
  ),
  linear(
    'gemm_norm.cuh',
    'a step is cut short at the end of the depth',
    'k < min(left,',
    'k < min(left - 1,',
    normed,
  ),
  linear(
    'gemm_norm.cuh',
    'the neighbour of a row is not added',
    'squares += __shfl_xor_sync(0xffffffff, squares, 1);',
    '',
    normed,
  ),
  linear(
    'gemm_norm.cuh',
    'moments of splits without their distance',
    'a.squares + b.squares + away * away * count_a * share',
    'a.squares + b.squares',
    normed,
  ),
  linear('gemm_norm.cuh', 'epsilon forgotten', '/ count + eps)', '/ count)', normed),
  linear(
    'gemm_norm.cuh',
    'variance of a smaller sample',
    'moments.squares / count',
    'moments.squares / (count - 1)',
    normed,
  ),
  linear(
    'gemm.cuh',
    'no barrier between norms and those who need them',
    'if (a_.splits > 1) return;\n    __syncthreads();',
    'if (a_.splits > 1) return;',
    normed,
  ),
  linear(
    'gemm.cuh',
    'no barrier between norms of a divided product and their use',
    '    }\n    __syncthreads();\n  }\n  __device__ Moments load_moments',
    '    }\n  }\n  __device__ Moments load_moments',
    normed,
  ),
  linear('gemm.cuh', 'lower rows get the norm of upper ones', 'half * 8 + lane_ / 4]', 'lane_ / 4]', normed),
  linear(
    'gemm.cuh',
    'divided products are not normalised',
    'if (has_norm())\n            normalize(',
    'if (false)\n            normalize(',
    normed,
  ),
  linear(
    'gemm.cuh',
    'the moments of the last split are left out',
    'for (int split = 1; split < a_.splits; split++)',
    'for (int split = 1; split < a_.splits - 1; split++)',
    normed,
  ),
  linear(
    'gemm.cuh',
    'all splits count as whole',
    'count = min(a_.split_depth, a_.k - before)',
    'count = a_.split_depth',
    normed,
  ),
  linear(
    'gemm.cuh',
    'norms over what is staged',
    'shared_ + Tile.shared_bytes() - norms_bytes',
    'shared_',
    normed,
  ),
  linear(
    'gemm.cc',
    'moments over the sums of splits',
    'args.partials + partial_floats(',
    'args.partials + 0 * partial_floats(',
    normed,
  ),
  linear(
    'gemm.cc',
    'no room for moments',
    'partial_floats(variant, size) + 2 * moments',
    'partial_floats(variant, size) + moments',
    normed,
  ),
  linear(
    'pack.cc',
    'sums of what was there before rounding',
    'sum += read(dst, to, column);',
    'sum += weight * norm.scale[column] * factor;',
    normed,
  ),
  linear(
    'pack.cc',
    'shifts are scaled',
    'shift += static_cast<double>(weight) * norm.shift[column];',
    'shift += static_cast<double>(weight) * norm.shift[column] * norm.scale[column];',
    normed,
  ),
  linear(
    'pack.cc',
    'small products fall among the subnormal halves',
    'std::clamp(-exponent, -100, 100)',
    '0 * std::clamp(-exponent, -100, 100)',
    normed,
  ),
]

const host: readonly Mutant[] = [
  linear(
    'gemm.cc',
    'workspace for one split too few',
    'variant.splits * size.layers',
    '(variant.splits - 1) * size.layers',
  ),
  linear(
    'gemm.cc',
    'steps that do not divide among splits are lost',
    'ceil_div(ceil_div(k, gemm_depth), splits))',
    'ceil_div(k, gemm_depth) / splits)',
  ),
  linear(
    'gemm.cc',
    'shared memory a stage short',
    'static_cast<size_t>(tile.shared_bytes())',
    'static_cast<size_t>(tile.shared_bytes() - tile.stage_bytes())',
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

const attentions: readonly Mutant[] = [
  attention(
    'attention.cuh',
    'no barrier when keys have arrived',
    '__syncthreads();  // the keys are here',
    '// the keys are here',
  ),
  attention(
    'attention.cuh',
    'no barrier when values have arrived',
    '__syncthreads();  // the values are here',
    '// the values are here',
  ),
  attention(
    'attention.cuh',
    'the largest score is not subtracted',
    'const float base = largest * a_.scale_log2;',
    'const float base = 0;',
  ),
  attention(
    'attention.cuh',
    'weights of former steps do not shrink',
    'weights_[t][half] * shrink + sum',
    'weights_[t][half] + sum',
  ),
  attention(
    'attention.cuh',
    'half of the stale sums does not shrink',
    '          sums_[t][n][half * 2 + 1] *= shrink;\n',
    '',
  ),
  attention(
    'attention.cuh',
    'one row behind the last key is read',
    'wanted = i * rows_apart < left',
    'wanted = i * rows_apart <= left',
  ),
  attention(
    'attention.cuh',
    'the last eight channels of a head are left out',
    'if constexpr (half_step) multiply_last_keys(scores);',
    '',
  ),
  attention('attention.cuh', 'the last keys are left out', '(seen + keys - 1) / keys', 'max(seen / keys, 1)'),
  attention(
    'attention.cuh',
    'keys behind the last one are not hidden',
    'if (key >= lk || (causal',
    'if ((causal',
  ),
  attention('attention.cuh', 'a query does not see itself', 'key > query)', 'key >= query)'),
  attention(
    'attention.cuh',
    'steps that are seen in part are not masked',
    'causal ? first_ + 1 : lk',
    'causal ? first_ + Shape.queries() : lk',
  ),
  attention(
    'attention.cuh',
    'one query behind the last is stored',
    'first_ + row < a_.op.lq',
    'first_ + row <= a_.op.lq',
  ),
  attention('tensor_core.cuh', 'values are not transposed', 'm8n8.x4.trans.shared', 'm8n8.x4.shared'),
  attention(
    'attention.cu',
    'a step of the general kernel reads 32 values always',
    'min(32, seen - first)',
    '32',
  ),
  attention('attention.cc', 'scores for base 2 without its logarithm', 'a.scale * log2_e', 'a.scale'),
]

export const products: readonly Mutant[] = [
  ...pipeline,
  ...fragments,
  ...warpgroups,
  ...fastSums,
  ...gathering,
  ...epilogue,
  ...norms,
  ...host,
  ...attentions,
]
