// Normal noise from a seed: number for number what torch draws. A seed is a contract.

import { TintypeError } from '../errors.ts'
import { suggestion } from '../nearest.ts'
import { TorchCpuGenerator } from './torch-cpu.ts'
import { TorchCudaGenerator } from './torch-cuda.ts'

/** Whose numbers a seed gives: torch's on the CPU (diffusers, ComfyUI) or on an NVIDIA GPU (A1111). */
export type Rng = 'torch-cpu' | 'torch-cuda'

/** A stream of standard normal numbers. */
export interface NoiseGenerator {
  /**
   * The next draw, `torch.randn(shape, generator=...)` in float32, flat in row-major order.
   *
   * @param shape a length or a list of dimensions; as in torch, one draw of 100 is not two of 50
   */
  randn(shape: number | readonly number[]): Float32Array
}

/** What `createGenerator` is asked for. */
export interface GeneratorOptions {
  /** 0 to 2^64 - 1; as a number only where integers are exact (up to 2^53 - 1). */
  readonly seed: number | bigint
  /** Default `torch-cpu`. */
  readonly rng?: Rng | undefined
}

const generators: Readonly<Record<Rng, new (seed: bigint) => { fill(out: Float32Array): void }>> = {
  'torch-cpu': TorchCpuGenerator,
  'torch-cuda': TorchCudaGenerator,
}

/** The names of the generators, for messages and the command line. */
export const rngNames: readonly Rng[] = ['torch-cpu', 'torch-cuda']

/** The largest draw: what a Float32Array of 2 GiB holds. */
export const mostNumbers = 2 ** 29

function checkedSeed(seed: unknown): bigint {
  const exact = typeof seed === 'bigint' || Number.isSafeInteger(seed)
  if (exact && (typeof seed === 'bigint' || typeof seed === 'number') && seed >= 0 && seed < 2n ** 64n)
    return BigInt(seed)
  throw new TintypeError(
    'INVALID_ARGUMENT',
    `seed: expected an integer from 0 to 2^64 - 1, got ${String(seed)}.`,
    {
      advice: 'Pass seeds above 2^53 - 1 as a bigint.',
    },
  )
}

function lengthOf(shape: number | readonly number[]): number {
  const dimensions = typeof shape === 'number' ? [shape] : shape
  const length = dimensions.reduce((product, dimension) => product * dimension, 1)
  if (dimensions.every((dimension) => Number.isInteger(dimension) && dimension >= 0) && length <= mostNumbers)
    return length
  throw new TintypeError(
    'INVALID_ARGUMENT',
    `shape: expected sizes of at most 2^29 numbers, got ${String(shape)}.`,
  )
}

/**
 * A generator of normal noise. Draws from one generator go on where the last ended, as torch's do.
 *
 * @example
 * const noise = createGenerator({ seed: 42 }).randn([1, 4, 64, 64]) // diffusers' first latents of seed 42
 * @throws TintypeError `INVALID_ARGUMENT` for a seed out of range, `UNKNOWN_OPTION` for an unknown `rng`
 */
export function createGenerator({ seed, rng = 'torch-cpu' }: GeneratorOptions): NoiseGenerator {
  if (!Object.hasOwn(generators, rng)) {
    throw new TintypeError('UNKNOWN_OPTION', `rng: there is no "${rng}".`, {
      advice: suggestion(String(rng), rngNames),
    })
  }
  const generator = new generators[rng](checkedSeed(seed))
  return {
    randn(shape) {
      const out = new Float32Array(lengthOf(shape))
      generator.fill(out)
      return out
    },
  }
}
