// Bugs in the kernels that multiply no matrices.

import { hunting, type Mutant } from './mutant.ts'

const of = (title: string, kernel = 'elementwise') =>
  hunting({ files: ['test/kernels/ops.test.ts'], title, kernels: [kernel] }, 'kernels/cuda')
const groupNorm = of('groupNorm', 'group_norm')
const concatGroupNorm = of('concatGroupNorm', 'group_norm')
const layerNorm = of('layerNorm', 'layer_norm')
const step = of('schedulerStep', 'scheduler_step')
const threshold = of('dynamicThreshold', 'scheduler_step')
const embedding = of('embedding', 'embedding')

export const others: readonly Mutant[] = [
  groupNorm(
    'group_norm.cu',
    'no barrier before sums of rows are added',
    '  __syncthreads();\n  for (int i = threadIdx.x; i < a.cut.columns * V',
    '  for (int i = threadIdx.x; i < a.cut.columns * V',
  ),
  groupNorm(
    'group_norm.cu',
    'squares of differences to the first pixel taken for those to the mean',
    'total_squares - total * mean',
    'total_squares',
  ),
  groupNorm(
    'group_norm.cu',
    'the shift of a stretch is not added again',
    'place[0] = to_float(of_channel.x[at.first * of_channel.stride]) + mean;',
    'place[0] = mean;',
  ),
  groupNorm(
    'group_norm.cu',
    'the last stretch counts as a whole one',
    'max(0, min(a.cut.stretch, left))',
    'left > 0 ? a.cut.stretch : 0',
  ),
  groupNorm(
    'group_norm.cu',
    'parts behind the last one have a share of nothing',
    'into.count == 0 ? 1.f : ',
    '',
    { title: 'groupFactors' },
  ),
  groupNorm(
    'group_norm.cu',
    'a panel counts the channels of a group that the next one has',
    'end = min((group + 1) * width, (panel + 1) * panel_channels);',
    'end = (group + 1) * width;',
  ),
  groupNorm(
    'group_norm.cu',
    'pixels behind a stretch are added as zeros',
    'own.x, pixel, at.end, a.cut.rows, own.stride, first, raw',
    'own.x, pixel, at.end, a.cut.rows, own.stride, {}, raw',
  ),
  concatGroupNorm(
    'group_norm.cu',
    'the last channel of the first matrix taken for the first of the second',
    'channel < second.from;',
    'channel < second.from - 1;',
  ),
  concatGroupNorm(
    'group_norm.cu',
    'pixels of the second matrix as far apart as those of the first',
    'is_first ? second.from : op.c - second.from;',
    'second.from;',
  ),
  groupNorm(
    'group_norm.cu',
    'the first pixels of a stretch not normalised',
    'while (pixel >= at.first) {',
    'while (pixel > at.first) {',
  ),
  groupNorm(
    'group_norm.cu',
    'sums of warps added before all of them are there',
    'sums[threadIdx.x / 32] = value;\n  __syncthreads();',
    'sums[threadIdx.x / 32] = value;',
  ),
  groupNorm(
    'group_norm.cu',
    'a stage added before it has arrived',
    '    wait_for_copies<0>();',
    '    wait_for_copies<1>();',
  ),
  groupNorm(
    'group_norm.cc',
    'a group larger than shared memory kept as a whole',
    '> shared_of_processor(gpu.architecture) - 1024) return false;',
    '> 2 * shared_of_processor(gpu.architecture)) return false;',
    { title: 'groupNorm|norms', files: ['test/kernels/ops.test.ts', 'test/ptx/choices.test.ts'] },
  ),
  layerNorm(
    'layer_norm.cu',
    'zeros behind a row count in its variance',
    'i < count ? (v[i] - mean) * (v[i] - mean) : 0.f',
    '(v[i] - mean) * (v[i] - mean)',
  ),
  layerNorm('layer_norm.cu', 'epsilon forgotten', '/ c + a.eps)', '/ c)'),
  of('addRowBias')(
    'elementwise.cu',
    'one row of biases read as one for each picture',
    'a.rows == 1 ? 0 : at.row / a.hw',
    'at.row / a.hw',
  ),
  of('addRowBias')(
    'chunk.cuh',
    'rows that begin anywhere moved 16 bytes at a time',
    'count == chunk && c % chunk == 0',
    'count == chunk',
  ),
  of('concat')(
    'elementwise.cu',
    'one column of the first operand too many',
    'at.column + i < args.ca ?',
    'at.column + i <= args.ca ?',
  ),
  of('upsample')(
    'elementwise.cu',
    'rows of the result counted in the input',
    'at.row / a.wo % a.ho',
    'at.row / a.wo % a.h',
  ),
  of('scale')('elementwise.cu', 'the factor in memory is not read', 'a.by ? *a.by : 1.f', '1.f'),
  of('narrow')(
    'chunk.cuh',
    'the last numbers stored 16 bytes at a time',
    'left < chunk ? static_cast<int>(left) : chunk;\n    whole = count == chunk;',
    'chunk;\n    whole = true;',
  ),
  of('toPixels', 'pixels')(
    'pixels.cu',
    'pixels cut off instead of rounded',
    '__float2uint_rn',
    '__float2uint_rz',
  ),
  of('sampleGaussian', 'pixels')(
    'pixels.cu',
    'variance taken for the deviation',
    'expf(l * 0.5f)',
    'expf(l)',
  ),
  of('activation', 'activation')(
    'math.cuh',
    'GELU of x / 2',
    'fabsf(x) * 0.70710678118654752f',
    'fabsf(x) * 0.5f',
  ),
  embedding(
    'embedding.cu',
    'positions of the second text lie behind the table',
    'at.row % a.length * a.c',
    'at.row * a.c',
  ),
  embedding(
    'embedding.cu',
    'the id behind the last one is read',
    'wanted < a.rows ? wanted',
    'wanted <= a.rows ? wanted',
  ),
  of('timestepEmbedding', 'embedding')(
    'embedding.cu',
    'cosine of the second quarter has the wrong sign',
    'quarter == 1 ? -s',
    'quarter == 1 ? s',
  ),
  step(
    'scheduler_step.cu',
    'coefficients of history one off',
    'a.coefficients + step_coefficients;',
    'a.coefficients + step_coefficients - 1;',
  ),
  step(
    'scheduler_step.cu',
    'guidance away from the prompt',
    'uncond + guidance * (to_float(m[count + i]) - uncond)',
    'to_float(m[count + i]) + guidance * (uncond - to_float(m[count + i]))',
  ),
  step(
    'scheduler_step.cu',
    'history moved over itself',
    'for (int64_t h = a.depth - 1; h > 0; h--)',
    'for (int64_t h = 1; h < a.depth; h++)',
  ),
  step('scheduler_step.cu', 'noise without its coefficient', 'c.noise * a.noise[i]', 'a.noise[i]'),
  step('scheduler_step.cc', 'a block too few', 'ceil_div(count, step_threads)', 'count / step_threads', {
    title: 'predictClean',
  }),
  threshold(
    'radix_selection.cuh',
    'the rank within a digit one too high',
    'left >= s.histogram[digit]',
    'left > s.histogram[digit]',
  ),
  threshold(
    'radix_selection.cuh',
    'no barrier between counting and reading',
    '    __syncthreads();\n    if (threadIdx.x == 0) {\n      uint32_t digit',
    '    if (threadIdx.x == 0) {\n      uint32_t digit',
  ),
  threshold(
    'radix_selection.cuh',
    'digits counted while the last ones are still there',
    's.histogram[i] = 0;\n    __syncthreads();',
    's.histogram[i] = 0;',
  ),
]
