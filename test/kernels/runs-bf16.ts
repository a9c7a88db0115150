// Whether this machine runs products of bf16: kernels of AVX-512 by an instruction that not all have, others by several.

import { devices } from '../../lib/runtime/device.ts'

const [cpu] = devices()
export const runsBf16 = cpu!.isa !== 'avx512' || cpu!.bf16
