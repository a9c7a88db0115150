// One op with dimensions, parameters and numbers to try it with: what tests and the self-test of a GPU run.

import { type OpName, opOf } from '../graph/ops.ts'

export type Values = Float32Array | Int32Array | Uint8Array

export interface OpCase {
  readonly op: OpName
  readonly dims: Readonly<Record<string, number>>
  readonly params?: Readonly<Record<string, number | string>>
  /** Stored type of the weights; float32 by default. */
  readonly dtype?: 'f32' | 'f16' | 'bf16'
  /** Optional operands that are given. */
  readonly given?: readonly string[]
  /** Whether outputs take the memory of the first input that allows it. */
  readonly inPlace?: boolean
  /** Inputs that are not to be noise in [-1, 1). */
  readonly inputs?: Readonly<Record<string, Values>>
  /** How often the error of an exact algorithm is allowed, where the kernel trades exactness for speed. */
  readonly allowance?: number
  /** So large that it is judged by the kernels of the CPU, which references have judged in smaller cases. */
  readonly isLarge?: boolean
}

/** A case of the matrix ops, which spell everything out. */
export type MatrixCase = OpCase & Required<Pick<OpCase, 'params' | 'dtype' | 'given' | 'inPlace'>>

/** `conv2d n=2 h=8 ... f16 residual in place` */
export function titleOf({ op, dims, params = {}, dtype, given = [], inPlace }: OpCase): string {
  const numbers = [...Object.entries(dims), ...Object.entries(params)].map(
    ([name, value]) => `${name}=${value}`,
  )
  return [op, ...numbers, ...(dtype ? [dtype] : []), ...given, ...(inPlace ? ['in place'] : [])].join(' ')
}

/** Numbers in [-1, 1) that are the same every time. */
export function noise(count: number, seed = 1): Float32Array<ArrayBuffer> {
  let state = seed >>> 0 || 1
  return new Float32Array(count).map(() => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  })
}

export const sizeOf = (c: OpCase, operand: string): number =>
  opOf(c.op).operands[operand]!.dims.reduce((product, dim) => product * c.dims[dim]!, 1)

/** The operands that a case has. */
export const operandsOf = (c: OpCase) =>
  Object.entries(opOf(c.op).operands).filter(([name, spec]) => !spec.optional || c.given?.includes(name))
