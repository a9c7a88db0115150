// The shape of an entry in the op table: how an op names its dimensions, operands and parameters.
// Everything that must agree between TypeScript and C++ about an op is derived from these.

export type DType = 'f32' | 'f16' | 'bf16' | 'i32' | 'u8'

export const bytesPerElement: Readonly<Record<DType, number>> = { f32: 4, f16: 2, bf16: 2, i32: 4, u8: 1 }

/**
 * How a weight is laid out for the kernels before its first use.
 *
 * - `raw`: as in the file, in its stored type
 * - `vector`: widened to float32
 * - `matrix`: (n, k) or (n, c, kh, kw), packed into the panels that the GEMM reads, in its stored type unless `precision` says otherwise
 * - `gated`: (2n, k), n rows of values and n of gates, for a GEMM that joins them; on the CPU a `matrix`
 * - `quartered`: (o, c, 3, 3) over an enlarged picture; a GPU gets four (o, c, 2, 2), one below the other, of sums of the taps that
 *   meet the same pixel; on the CPU a `matrix`
 * - `folded`: a `vector` of the norm in front of all matrices of the op, first what it multiplies by, then what it adds: where
 *   it is there, GPUs get the matrices with both of them folded in
 */
export type Packing = 'raw' | 'vector' | 'matrix' | 'gated' | 'quartered' | 'folded'

export const isVector = (packing: Packing): boolean => packing === 'vector' || packing === 'folded'

export interface OperandSpec {
  readonly role: 'input' | 'output' | 'weight'
  readonly dtype: DType
  /** Names of dimensions; the operand holds their product of elements, contiguous, last one fastest. */
  readonly dims: readonly string[]
  readonly optional: boolean
  readonly packing: Packing
  /** Stays float32 on a device that computes in half precision (lower-precision.ts). */
  readonly keepsFloat: boolean
  /** An output may share the memory of these inputs: the kernel reads an element before it writes it. */
  readonly inPlaceOf: readonly string[]
}

export interface ParamSpec {
  readonly type: 'int' | 'float' | 'enum'
  /** Smallest allowed value of an int. */
  readonly min: number
  /** C++ name of the enum and its values in order. */
  readonly enumName?: string
  readonly values?: readonly string[]
}

/** Rounds an intermediate result: the identity for the exact result, Math.fround for the naive fp32 one. */
export type Round = (value: number) => number

/** What references read and write: any numeric array. */
export type Numbers = Float64Array | Float32Array | Int32Array | Uint8Array

type OperandSpecs = Readonly<Record<string, OperandSpec>>
type ParamSpecs = Readonly<Record<string, ParamSpec>>

type OperandsOf<O extends OperandSpecs> = {
  readonly [K in keyof O]: O[K] extends { optional: true } ? Numbers | undefined : Numbers
}
type ParamOf<P extends ParamSpec> = P extends { values: readonly (infer V)[] } ? V : number
type ParamsOf<P extends ParamSpecs> = { readonly [K in keyof P]: ParamOf<P[K]> }

/** One flat object with everything a reference needs: operands, dimensions and parameters by name. */
export type ReferenceArgs<D extends string, O extends OperandSpecs, P extends ParamSpecs> = OperandsOf<O> &
  Readonly<Record<D, number>> &
  ParamsOf<P>

export interface Op<
  D extends string = string,
  O extends OperandSpecs = OperandSpecs,
  P extends ParamSpecs = ParamSpecs,
> {
  readonly name: string
  /** The formula in one line; it becomes the comment of the generated C++ struct. */
  readonly formula: string
  readonly dims: readonly D[]
  readonly operands: O
  readonly params: P
  /** The input in whose memory, from its beginning, the outputs of a node must lie where memory is shared, if any. */
  readonly overwrites?: (params: Readonly<Record<string, number | string>>) => string | undefined
  /** Says what is wrong with a combination of dimensions and parameters, if anything. */
  readonly check?: (args: Readonly<Record<D, number>> & ParamsOf<P>) => string | undefined
  /** The naive implementation that every kernel is judged by; writes its outputs. */
  readonly reference: (args: ReferenceArgs<D, O, P>, round: Round) => void
}

/** Types an entry of the table; `D`, `O` and `P` are inferred from it. */
export function defineOp<
  const D extends string,
  const O extends OperandSpecs,
  const P extends ParamSpecs = Record<never, ParamSpec>,
>(op: Op<D, O, P>): Op<D, O, P> {
  return op
}

const operand = {
  ...({ dtype: 'f32', optional: false, packing: 'raw', inPlaceOf: [] } as const),
  keepsFloat: false as boolean,
}

export const input = (...dims: string[]) => ({ ...operand, role: 'input', dims }) as const
export const output = (...dims: string[]) => ({ ...operand, role: 'output', dims }) as const
export const inputOf = <const T extends DType>(dtype: T, ...dims: string[]) =>
  ({ ...operand, role: 'input', dtype, dims }) as const
export const outputOf = <const T extends DType>(dtype: T, ...dims: string[]) =>
  ({ ...operand, role: 'output', dtype, dims }) as const
/** A weight in any of the float types; `packing` says what the kernel gets to see. */
export const weight = (packing: Packing, ...dims: string[]) =>
  ({ ...operand, role: 'weight', packing, dims }) as const

export const optional = <const S extends OperandSpec>(spec: S) => ({ ...spec, optional: true }) as const
export const keepFloat = <const S extends OperandSpec>(spec: S) => ({ ...spec, keepsFloat: true }) as const
export const inPlace = <const S extends OperandSpec>(spec: S, ...inPlaceOf: string[]) =>
  ({ ...spec, inPlaceOf }) as const

export const int = (min = 0) => ({ type: 'int', min }) as const
export const float = { type: 'float', min: 0 } as const
export const choice = <const V extends readonly string[]>(enumName: string, values: V) =>
  ({ type: 'enum', min: 0, enumName, values }) as const

export const activations = ['none', 'silu', 'gelu', 'quick_gelu'] as const
export type Activation = (typeof activations)[number]
export const activationParam = choice('Activation', activations)
