// What this machine can run programs on.

import { callNative } from './binding.ts'

export interface DeviceInfo {
  /** `cpu`. */
  readonly name: string
  /** As the manufacturer calls it. */
  readonly description: string
  /** Instruction set of the kernels in use: the best of `isas`, or what `TINTYPE_ISA` names. */
  readonly isa: string
  /** Instruction sets that both this machine and this build have, best first. */
  readonly isas: readonly string[]
  /** Whether those kernels multiply in bf16, for `precision: 'bf16'`: the AVX-512 ones on a CPU with AVX512-BF16, not on Windows. */
  readonly bf16: boolean
  /** Second-level cache of a core; 0 where the operating system does not say. */
  readonly l2Bytes: number
  /** Cores that the process may use: affinity and container limits count. */
  readonly cores: number
  /** Threads of a program that does not say how many: `TINTYPE_THREADS`, or one for each core. */
  readonly threads: number
}

/**
 * The devices of this machine.
 *
 * @throws TintypeError `ADDON_NOT_FOUND`; `INVALID_ARGUMENT` when `TINTYPE_ISA` or `TINTYPE_THREADS` cannot be met
 * @example
 * const [cpu] = devices() // { name: 'cpu', isa: 'avx2', cores: 8, ... }
 */
export function devices(): DeviceInfo[] {
  return callNative((addon) => addon.devices())
}
