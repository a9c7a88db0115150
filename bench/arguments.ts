// The command line of the benchmarks, checked and completed.

import { parseArgs } from 'node:util'
import type { GpuPrecision } from '../lib/index.ts'
import { suggestion } from '../lib/nearest.ts'
import { BenchError } from './errors.ts'
import { type PeerName, peerNames } from './peers/names.ts'
import type { Arithmetic } from './peers/protocol.ts'

export const subjects = ['kernels', 'text', 'unet', 'vae', 'image', 'load', 'start'] as const
export type Subject = (typeof subjects)[number]

export interface Arguments {
  readonly subjects: readonly Subject[]
  /** Sides of the square pictures, each measured. */
  readonly sizes: readonly number[]
  /** Whether they were named; on a GPU each model has its own otherwise. */
  readonly sizesGiven: boolean
  /** Numbers of threads, each measured; empty for one for each core. */
  readonly threads: readonly number[]
  /** Without tintype itself. */
  readonly against: readonly PeerName[]
  readonly repeats: number
  /** Denoising steps of a whole picture. */
  readonly steps: number
  /** How long each kernel runs. */
  readonly seconds: number
  /** Kernels whose names contain this. */
  readonly only: string
  readonly model: string | undefined
  readonly dtype: 'F16' | 'F32'
  readonly python: string
  /** Memory that the processes of one comparison may take together, in GB. */
  readonly memory: number | undefined
  readonly json: string | undefined
  /** A GPU: whole generations on it instead of the subjects. */
  readonly device: `cuda${string}` | undefined
  /** What the GPU computes in. */
  readonly precision: GpuPrecision
  /** What all contenders multiply in on the CPU. */
  readonly arithmetic: Arithmetic
}

export const usage = `usage: npm run bench -- [${subjects.join('|')} ...] [options]
  --size 512[,256]     sides of the pictures
  --threads 2[,1]      default: one for each core
  --against LIST       of ${peerNames.join(', ')}
  --repeats 5          measured runs of each stage, after one that is not
  --steps 20           of a whole picture
  --seconds 1          for each kernel
  --only TEXT          kernels whose names contain it
  --model FOLDER       instead of SD 1.5's architecture with random weights
  --dtype F16|F32      in which the random weights are stored
  --python COMMAND     of the peers that need it; default: TINTYPE_BENCH_PYTHON, or python3
  --memory GB          for all processes of one comparison; default: four fifths of what is free
  --json FILE          results with everything that was measured
  --device cuda[:1]    steps per second on a GPU, of SD 1.5 (512, 768, 1024) and SDXL's shapes (1024)
  --precision <type>   what the GPU computes in: f16, bf16 or fast; without --device bf16, in which everyone multiplies
                       then who can; otherwise float32`

const seeUsage = 'See npm run bench -- --help.'

function nameIn<T extends string>(known: readonly T[], name: string, what: string): T {
  const found = known.find((candidate) => candidate === name)
  if (found !== undefined) return found
  throw new BenchError(`Unknown ${what} ${name}. ${suggestion(name, known)}`, seeUsage)
}

function integers(text: string, option: string, step = 1): number[] {
  const numbers = text.split(',').map(Number)
  if (numbers.every((number) => Number.isInteger(number) && number > 0 && number % step === 0)) return numbers
  throw new BenchError(
    `--${option}: expected positive ${step > 1 ? `multiples of ${step}` : 'integers'}, got ${text}.`,
    seeUsage,
  )
}

function number(text: string, option: string): number {
  const value = Number(text)
  if (value > 0 && Number.isFinite(value)) return value
  throw new BenchError(`--${option}: expected a positive number, got ${text}.`, seeUsage)
}

const options = {
  size: { type: 'string' },
  threads: { type: 'string' },
  against: { type: 'string' },
  repeats: { type: 'string', default: '5' },
  steps: { type: 'string', default: '20' },
  seconds: { type: 'string', default: '1' },
  only: { type: 'string', default: '' },
  model: { type: 'string' },
  dtype: { type: 'string', default: 'F16' },
  python: { type: 'string' },
  memory: { type: 'string' },
  json: { type: 'string' },
  device: { type: 'string' },
  precision: { type: 'string' },
} as const

function gpuName(name: string): `cuda${string}` {
  if (/^cuda(:\d+)?$/.test(name)) return name as `cuda${string}`
  throw new BenchError(`--device: expected cuda or cuda:1, got ${name}.`, seeUsage)
}

/** What is compared on the CPU; kernels are measured in both, starts in float32. */
function arithmeticOf(precision: string | undefined, named: readonly Subject[]): Arithmetic {
  if (precision === undefined) return 'f32'
  const other = named.find((subject) => ['kernels', 'load', 'start'].includes(subject))
  if (precision === 'bf16' && other === undefined) return 'bf16'
  throw new BenchError(
    other === undefined
      ? `--precision: expected bf16 without --device, got ${precision}.`
      : `--precision: not for ${other}${other === 'kernels' ? ', which are measured in both' : ''}.`,
    seeUsage,
  )
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options })
  } catch (error) {
    throw new BenchError((error as Error).message, seeUsage)
  }
}

/**
 * What to measure and how.
 *
 * @throws BenchError for anything that is not known or out of range
 */
export function parseArguments(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Arguments {
  const { values, positionals } = parse(args)
  const named = positionals.map((name) => nameIn(subjects, name, 'subject'))
  const peers = values.against?.split(',') ?? []
  return {
    subjects: named.length > 0 ? [...new Set(named)] : ['text', 'unet', 'vae'],
    // The deepest level of the UNet is an eighth of the latents, which are an eighth of the picture.
    sizes: integers(values.size ?? '512', 'size', 64),
    sizesGiven: values.size !== undefined,
    threads: values.threads === undefined ? [] : integers(values.threads, 'threads'),
    against: [...new Set(peers.map((name) => nameIn(peerNames, name, 'peer')))],
    repeats: integers(values.repeats, 'repeats')[0]!,
    steps: integers(values.steps, 'steps')[0]!,
    seconds: number(values.seconds, 'seconds'),
    only: values.only,
    model: values.model,
    dtype: nameIn(['F16', 'F32'] as const, values.dtype, 'dtype'),
    python: values.python ?? env.TINTYPE_BENCH_PYTHON ?? 'python3',
    memory: values.memory === undefined ? undefined : number(values.memory, 'memory'),
    json: values.json,
    device: values.device === undefined ? undefined : gpuName(values.device),
    precision: nameIn(['f16', 'bf16', 'fast'] as const, values.precision ?? 'f16', 'precision'),
    arithmetic: values.device === undefined ? arithmeticOf(values.precision, named) : 'f32',
  }
}
