// What a kernel is measured by: an op at one size, with the work that it stands for.

import { type OpName, opOf } from '../../lib/graph/ops.ts'
import { bytesPerElement } from '../../lib/graph/spec.ts'

export interface KernelCase {
  readonly name: string
  readonly op: OpName
  readonly dims: Readonly<Record<string, number>>
  readonly params: Readonly<Record<string, number | string>>
  /** Where matrices are not kept as they are stored, in half precision. */
  readonly matrices?: 'bf16'
  /** Multiplications and additions of the definition: a faster algorithm counts no less. 0 where memory is the bound. */
  readonly flop: number
}

const product = (sizes: readonly number[]) => sizes.reduce((total, size) => total * size, 1)

/** Weights of matrices lie in half precision, as checkpoints have them; vectors are widened when they are loaded. */
export const isMatrix = (dims: readonly string[]): boolean => dims.length > 1

/** The operands that a case is run with: all that must be there. */
export function operandsOf({ op, dims }: Pick<KernelCase, 'op' | 'dims'>) {
  return Object.entries(opOf(op).operands)
    .filter(([, { optional }]) => !optional)
    .map(([name, spec]) => {
      const shape = spec.dims.map((dim) => dims[dim]!)
      const half = spec.role === 'weight' && isMatrix(spec.dims)
      const dtype = half ? ('f16' as const) : spec.dtype
      return { name, role: spec.role, shape, dtype, bytes: product(shape) * bytesPerElement[dtype] }
    })
}

/** Bytes that must move at least: every operand once. */
export const leastBytes = (kernel: Pick<KernelCase, 'op' | 'dims'>): number =>
  operandsOf(kernel).reduce((total, { bytes }) => total + bytes, 0)
