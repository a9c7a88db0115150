// How `tintype doctor` puts a diagnosis into words.

import { expect, it } from 'vitest'
import { formatDiagnosis } from '../../../lib/cli/doctor.ts'
import type { Diagnosis } from '../../../lib/index.ts'

const found: Diagnosis = {
  version: '1.2.3',
  node: 'v20.19.0',
  platform: 'linux-x64-musl',
  prebuilt: true,
  addons: [
    {
      name: '/app/tintype.node',
      origin: 'build',
      file: '/app/tintype.node',
      state: 'refused',
      reason: 'cut short: 1 bytes, expected 2',
      isas: [],
    },
    {
      name: '@tintype/linux-x64-musl',
      origin: 'package',
      file: '/app/node_modules/@tintype/linux-x64-musl/tintype.node',
      state: 'chosen',
      reason: undefined,
      isas: ['avx2', 'baseline'],
    },
  ],
  devices: [
    {
      ...{
        name: 'cpu',
        description: 'Some CPU',
        isa: 'avx2',
        isas: ['avx2', 'baseline'],
        bf16: false,
        l2Bytes: 2 ** 19,
      },
      ...{ cores: 4, threads: 3 },
    },
  ],
  gpus: [{ name: 'NVIDIA A10', driver: '550.54', memoryMiB: 23028 }],
  gpuNote: undefined,
  cuda: {
    addons: [
      {
        name: '/app/tintype_cuda.node',
        origin: 'build',
        file: undefined,
        state: 'refused',
        reason: 'no such file',
        isas: [],
      },
      {
        name: '@tintype/cuda-linux-x64',
        origin: 'package',
        file: '/app/node_modules/@tintype/cuda-linux-x64/tintype_cuda.node',
        state: 'chosen',
        reason: undefined,
        isas: ['sm_86'],
      },
    ],
    gpus: [{ name: 'cuda:0', description: 'NVIDIA A10', isa: 'sm_86', memory: 22.5 * 2 ** 30 }],
  },
  environment: { TINTYPE_THREADS: '3' },
  embeddedModel: { folder: '/app/models/default', bytes: 41.2e6 },
  advice: ['Do this.', 'Then that.'],
}

it('says what was found, in lines', () => {
  expect(formatDiagnosis(found)).toBe(`\
tintype     1.2.3, Node v20.19.0
platform    linux-x64-musl
addon       ✗ /app/tintype.node: cut short: 1 bytes, expected 2
            ✓ @tintype/linux-x64-musl: chosen: avx2, baseline
device      cpu: Some CPU
            avx2 of avx2, baseline; 3 threads on 4 cores
GPU         NVIDIA A10, 23028 MiB, driver 550.54
CUDA        ✗ /app/tintype_cuda.node: no such file
            ✓ @tintype/cuda-linux-x64: chosen: sm_86
device      cuda:0: NVIDIA A10, sm_86, 22.5 GiB
models      embedded: 41.2 MB in /app/models/default
            others: folders that you name; nothing is downloaded or cached
environment TINTYPE_THREADS=3
to do       Do this.
            Then that.`)
})

it('says what is missing', () => {
  const bare = {
    ...found,
    prebuilt: false,
    addons: [],
    devices: [],
    gpus: [],
    gpuNote: 'no driver',
    cuda: { addons: [], gpus: [] },
    environment: {},
    embeddedModel: undefined,
    advice: [],
  }
  const text = formatDiagnosis(bare)
  for (const line of [
    'platform    linux-x64-musl, which has no prebuilt binary',
    'device      none',
    'GPU         no driver',
    'CUDA        there is no backend for linux-x64-musl',
    'models      embedded: missing',
    'to do       nothing, all is well',
  ]) {
    expect(text.split('\n')).toContain(line)
  }
})
