// How each contender is started and what it can do.

import { fileURLToPath } from 'node:url'
import { bundle } from '../bundle.ts'
import type { Contender } from './names.ts'
import type { Stage } from './protocol.ts'

export interface Launch {
  readonly command: (python: string) => readonly [string, ...string[]]
  readonly stages: readonly Stage[]
  /** Whether its driver can have it multiply in bf16. */
  readonly bf16?: true
  /** Whether it takes the inputs and gives the output of a stage, so that they can be compared. */
  readonly givesOutput: (stage: Stage) => boolean
  /** Whether it runs exports of the model, which are made before. */
  readonly exports?: true
  /** Whether it loads the weights of a stage, or always the whole model. */
  readonly loads: 'stage' | 'model'
  /**
   * Peak memory as a multiple of those weights in float32, rounded up from measurements: it decides who fits beside
   * whom, nothing else.
   */
  readonly memory: number
  /** How to get it, in a line. */
  readonly setup: string
}

const fileOf = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const inPython = (path: string) => (python: string) => [python, fileOf(path)] as const
const inNode = (path: string) => () => [process.execPath, fileOf(path)] as const
const bundled = (path: string) => () => [process.execPath, bundle(fileOf(path))] as const

const always = () => true

const everything: readonly Stage[] = ['text', 'unet', 'vae-decode', 'vae-encode', 'image']
const modules: readonly Stage[] = ['text', 'unet', 'vae-decode', 'vae-encode']

export const launches: Readonly<Record<Contender, Launch>> = {
  tintype: {
    command: bundled('tintype/driver.mjs'),
    bf16: true,
    stages: everything,
    givesOutput: always,
    loads: 'stage',
    memory: 0.75,
    setup: 'npm run build:native',
  },
  diffusers: {
    command: inPython('diffusers/driver.py'),
    bf16: true,
    stages: everything,
    givesOutput: always,
    loads: 'stage',
    memory: 2,
    setup: 'pip install torch diffusers transformers (bench/peers/diffusers/README.md)',
  },
  'torch-compile': {
    command: inPython('torch-compile/driver.py'),
    bf16: true,
    stages: everything,
    givesOutput: always,
    loads: 'stage',
    memory: 2.5,
    setup: 'pip install torch diffusers transformers (bench/peers/torch-compile/README.md)',
  },
  onnxruntime: {
    command: inNode('onnxruntime/driver.mjs'),
    exports: true,
    stages: modules,
    givesOutput: always,
    loads: 'stage',
    memory: 1.5,
    setup: 'npm install --prefix bench/peers/onnxruntime (bench/peers/onnxruntime/README.md)',
  },
  openvino: {
    command: inPython('openvino/driver.py'),
    bf16: true,
    exports: true,
    stages: modules,
    givesOutput: always,
    loads: 'stage',
    memory: 2.25,
    setup: 'pip install openvino torch diffusers transformers (bench/peers/openvino/README.md)',
  },
  'stable-diffusion.cpp': {
    command: inPython('stable-diffusion.cpp/driver.py'),
    // It makes pictures only; how long their stages take it tells in its log.
    stages: ['unet', 'vae-decode', 'image'],
    givesOutput: (stage) => stage === 'image',
    loads: 'model',
    memory: 1,
    setup: 'pip install stable-diffusion-cpp-python (bench/peers/stable-diffusion.cpp/README.md)',
  },
}
