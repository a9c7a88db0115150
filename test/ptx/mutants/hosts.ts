// Bugs in the executor, in what it asks of CUDA, and in the memory plan.

import { hunting, type Mutant } from './mutant.ts'

const device = (title: string) =>
  hunting({ files: ['test/ptx/device.test.ts'], title, kernels: [] }, 'native/cuda')
const memory = (title: string) =>
  hunting({ files: ['test/ptx/device-memory.test.ts'], title, kernels: [] }, 'native/cuda')
const plans = (title: string, folder = 'native/cuda') =>
  hunting({ files: ['test/ptx/plans.test.ts'], title, kernels: [] }, folder)

export const hosts: readonly Mutant[] = [
  device('whenever')(
    'device.cc',
    'staging memory is filled while it is sent',
    '  check(cudaEventSynchronize(staging.sent), "Sending to the device");\n  reserve(staging, bytes);\n  return',
    '  reserve(staging, bytes);\n  return',
  ),
  device('whenever')(
    'device.cc',
    'no event after a copy from staging memory',
    'cudaMemcpyHostToDevice, stream_), "Sending to the device");\n  check(cudaEventRecord(staging.sent, stream_), "Sending to the device");',
    'cudaMemcpyHostToDevice, stream_), "Sending to the device");',
  ),
  device('whenever')(
    'device.cc',
    'results are read before they have arrived',
    '  check(cudaEventSynchronize(staging.sent), "Computing");\n',
    '',
  ),
  plans('many processors')(
    'backend.cc',
    'workspace of kernels over the arena',
    'static_cast<char*>(workspace_.get()) + state.arena_bytes)',
    'static_cast<char*>(workspace_.get()))',
  ),
  plans('many processors')(
    'backend.cc',
    'no memory for the workspace of kernels',
    'prepared->arena_bytes + largest_workspace(plan, prepared->gpu)',
    'prepared->arena_bytes',
  ),
  device('launches kernels')(
    'backend.cc',
    'kernels captured before they are loaded',
    'state.is_warm && !work',
    '!work',
  ),
  device('launches kernels')(
    'device.cc',
    'captures that other threads disturb',
    'cudaStreamCaptureModeThreadLocal',
    'cudaStreamCaptureModeGlobal',
  ),
  memory('captures anew')(
    'backend.cc',
    'graphs of a workspace that is gone',
    'state.captured_with != workspace_.get()',
    'state.graphs.empty()',
  ),
  memory('tries again')(
    'backend.cc',
    'out of memory at once',
    'if (e.code != code::out_of_memory) throw;',
    'throw;',
  ),
  memory('captures anew')(
    'backend.cc',
    'graphs keep the places of weights that have moved',
    '    program->drop_graphs();\n',
    '',
  ),
  memory('keeps weights')(
    'backend.cc',
    'weights are let go of before other memory',
    '  if (fits(work)) return;\n  drop_weights(work);\n  run_once(work);',
    '  drop_weights(work);\n  run_once(work);',
  ),
  device('goes on with')(
    'device.cc',
    'a kernel whose look-up failed is said not to be there',
    'if (error == cudaErrorSymbolNotFound) {',
    'if (error != cudaSuccess) {',
  ),
  device('as often as wanted')(
    'backend.cc',
    'no graphs where there is no workspace',
    'state.graphs.empty() || ',
    '',
  ),
  memory('makes room')(
    'backend.cc',
    'memory of other programs is kept when there is no more',
    'weights.get() == work.weights ? used : std::vector<WeightUse>()',
    'used',
  ),
  device('is lost')(
    'device.cc',
    'a launch that failed taken for one that can be tried again',
    '    cudaErrorLaunchFailure,\n',
    '',
  ),
  device('is lost')(
    'device.cc',
    'what broke the device is forgotten',
    'if (is_fatal(error)) lost_ = message;',
    '',
  ),
  device('survives')(
    'device.cc',
    'a stream captures for ever after an error',
    'cudaStreamEndCapture(stream_, &graph);\n    if (graph)',
    'if (graph)',
  ),
  device('without pinned')(
    'device.cc',
    'no memory instead of pinned memory',
    'staging.pageable.resize(bytes);',
    '',
  ),
  device('stops between')(
    'backend.cc',
    'aborted runs go on to their end',
    '    throw_if_cancelled(work.cancel);\n    if (by_graph)',
    '    if (by_graph)',
  ),
  device('an old GPU')(
    'device.cc',
    'a GPU without tensor cores is used',
    'gpu_.architecture < 75',
    'gpu_.architecture < 60',
  ),
  plans('one-layer')(
    'backend.cc',
    'the last node of each group is not launched',
    'first + segment_nodes)});',
    'first + segment_nodes - 1)});',
  ),
  plans('allocation for each', 'lib/graph')(
    'plan-memory.ts',
    'a value overwritten by the node that reads it last',
    '[block.first, block.last]',
    '[block.first, block.last - 1]',
  ),
]
