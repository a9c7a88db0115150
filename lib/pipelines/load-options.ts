// The options of load(): checked before anything is read.

import * as z from 'zod'
import { checkOptions, invalid } from '../check-options.ts'
import type { DeviceOptions } from './choose-device.ts'
import type { VaeTiling } from './choose-tiling.ts'

export interface LoadOptions {
  /** Take `<name>.<variant>.safetensors`; by default the plain files, or the only variant that is there. */
  readonly variant?: string | undefined
  /** Threads to compute with. Default: one for each core that the process may use. */
  readonly threads?: number | undefined
  /**
   * Leave out the algorithms that trade rounding for speed (Winograd's for convolutions, Strassen's for linear layers:
   * latents differ by about 1e-6 relative for each step). What `precision` rounds it leaves rounded. Default: false.
   */
  readonly exact?: boolean | undefined
  /**
   * Where to compute: `cpu` (the default), `cuda` for the first NVIDIA GPU, `cuda:1` for the second. A list such as
   * `['cuda:0', 'cuda:1']` spreads the pictures of a generation over several GPUs. `auto` takes the first GPU where that
   * passes a short self-test, and the CPU otherwise, as with `precision: 'int8'`; `info.devices` and `info.deviceNote` say
   * which and why. Of GPUs the CUDA backend has run on H100s alone; on
   * others its kernels are proven by an interpreter (docs/cuda.md).
   */
  readonly device?: DeviceOptions['device']
  /**
   * What a GPU computes in. `f16`, the default, and `bf16` sum in float32. `fast` is `f16` that sums 32 products at a time
   * in fp16: GeForce cards do that at twice the rate, others at the same; its error was up to 2.4 times that of `f16` and
   * less than half that of `bf16` (docs/cuda.md).
   *
   * The CPU computes in float32 over weights as they are stored, unless it is asked for one of two things, with either of
   * which pictures change a little (docs/performance.md). `int8`: matrix weights are rounded to int8 when they are read, each
   * output channel with a scale of its own, and take half the memory of fp16. `bf16`, on a CPU with AVX512-BF16 (`devices()`
   * tells; `DEVICE_UNAVAILABLE` elsewhere, float32 with `device: 'auto'`): linear layers, convolutions of single pixels and
   * attention multiply in bf16, sums and all between stay float32. On AMD's Zen 4 a step takes two thirds of the time; on
   * others it was not measured.
   */
  readonly precision?: DeviceOptions['precision']
  /**
   * Whether the autoencoder works on pictures strip by strip, which takes less memory: about 1.3 GiB, and hardly more time, as
   * long as the largest maps fit into that (on the CPU, up to 1024x1024), and several times as long beyond. All strips are
   * normalised by the whole picture: there are no seams, and pixels differ from those in one piece by rounding alone.
   * `auto`, the default: where one piece would take more than 1.3 GiB, so at 1024x1024 but not at 896x896. `true`:
   * wherever there are rows enough. Never with `exact`.
   */
  readonly vaeTiling?: 'auto' | boolean | undefined
}

const schema = {
  variant: z.string().describe('the name of a variant, such as "fp16"'),
  threads: z.number().int().min(1).max(256).describe('an integer from 1 to 256'),
  exact: z.boolean().describe('true or false'),
  // What these two may be depends on the machine: chooseDevices() says.
  device: z.unknown(),
  precision: z.unknown(),
  vaeTiling: z.union([z.literal('auto'), z.boolean()]).describe('"auto", true or false'),
} satisfies Record<keyof LoadOptions, z.ZodType>

export const loadOptionNames: readonly string[] = Object.keys(schema)

function resolveTiling({ vaeTiling, exact }: LoadOptions): VaeTiling {
  if (exact && vaeTiling === true) {
    throw invalid(
      'Options exact and vaeTiling exclude each other.',
      'Strips round differently from one piece. Leave one of them out.',
    )
  }
  return exact ? false : (vaeTiling ?? 'auto')
}

/**
 * Checks options and fills in how the autoencoder tiles.
 *
 * @throws TintypeError `UNKNOWN_OPTION` with the nearest name, `INVALID_ARGUMENT` with what was expected and what came
 */
export function resolveLoadOptions(given: unknown): LoadOptions & { readonly vaeTiling: VaeTiling } {
  checkOptions(given, schema, { caller: 'load()', example: '{ threads: 4 }' })
  const options: LoadOptions = given
  return { ...options, vaeTiling: resolveTiling(options) }
}
