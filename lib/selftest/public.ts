// The self-test as users call it: a GPU by its name, what is known of it, and case by case what came out.

import * as z from 'zod'
import { checkOptions, invalid } from '../check-options.ts'
import { callNative } from '../runtime/binding.ts'
import { cudaNative } from '../runtime/cuda-binding.ts'
import { nvidiaGpus } from '../runtime/nvidia.ts'
import { type DeviceName, type GpuPrecision, type Target, targetOf } from '../runtime/target.ts'
import { titleOf } from './op-case.ts'
import type { CaseReport } from './self-test.ts'

export interface SelfTestOptions {
  /** `cuda`, the default, or `cuda:1`. */
  readonly device?: DeviceName | undefined
  /** Default: `f16`. */
  readonly precision?: GpuPrecision | undefined
  /** Cases whose title contains this, such as `attention` or `lk=77`. */
  readonly only?: string | undefined
}

/** A GPU, as far as a report needs it. */
export interface GpuDescription {
  /** `cuda:0`. */
  readonly device: string
  readonly name: string
  /** `sm_89`. */
  readonly architecture: string
  readonly memoryMiB: number | undefined
  /** Of its driver, where nvidia-smi tells it. */
  readonly driver: string | undefined
}

const schema = {
  // What these two may be, targetOf() says.
  device: z.unknown(),
  precision: z.unknown(),
  only: z.string().describe('a part of titles, such as "attention"'),
} satisfies Record<keyof SelfTestOptions, z.ZodType>

function checked(given: unknown): SelfTestOptions {
  checkOptions(given, schema, { caller: 'selfTest()', example: '{ device: "cuda" }' })
  return given
}

function gpuOf({ device, precision }: SelfTestOptions): Target {
  const target = targetOf({ device: device ?? 'cuda', precision })
  if (target.precision !== undefined) return target
  throw invalid('The self-test is for GPUs: expected "cuda" or "cuda:1".')
}

/**
 * What is known of a GPU.
 *
 * @throws TintypeError `DEVICE_UNAVAILABLE` with the reason
 */
export function describeGpu(device: DeviceName = 'cuda'): GpuDescription {
  const target = gpuOf({ device })
  const listed = callNative((addon) => addon.devices(), cudaNative())[target.device]! as {
    readonly isa: string
    readonly memory?: number
  }
  const gpus = nvidiaGpus()
  const { isa, memory } = listed
  return {
    device: target.name,
    name: target.description ?? 'unknown',
    architecture: isa,
    memoryMiB: memory === undefined ? undefined : Math.round(memory / 2 ** 20),
    driver: Array.isArray(gpus) ? gpus[0]?.driver : undefined,
  }
}

/**
 * Runs the cases of the kernels' tests on a GPU, one report for each. Nothing is thrown for a kernel that is wrong:
 * `failure` says so. After a case that breaks the GPU there are no more.
 *
 * @throws TintypeError `DEVICE_UNAVAILABLE` with the reason, `UNKNOWN_OPTION`, `INVALID_ARGUMENT`, `OUT_OF_MEMORY`
 * @example
 * for await (const { title, failure } of selfTest({ device: 'cuda' })) if (failure) console.error(title, failure)
 */
export async function* selfTest(options: SelfTestOptions = {}): AsyncGenerator<CaseReport, void, void> {
  const { only = '', ...where } = checked(options)
  const target = gpuOf(where)
  // Late: its cases are numbers by the hundred thousand, made while it loads.
  const { allCases, selfTest: runSelfTest } = await import('./self-test.js')
  const cases = allCases.filter((c) => titleOf(c).includes(only))
  if (cases.length === 0) {
    throw invalid(
      `only: no case has "${only}" in its title.`,
      'Titles are such as "attention n=1 lq=33 lk=77 c=80".',
    )
  }
  yield* runSelfTest(target, cases)
}
