// A model traced for given shapes, as plain data: what passes turn into other graphs and finally into a plan.

import type { OpName } from './ops.ts'
import type { DType } from './spec.ts'

export type ValueId = number

/** Something that a node reads or writes: an array with a shape. */
export interface Value {
  readonly kind: 'input' | 'weight' | 'computed'
  /** Of an input or weight: its name. Of a computed value: where in the model it arose. */
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
}

/** One op with everything it needs. Absent optional operands are absent keys. */
export interface Node {
  readonly op: OpName
  readonly dims: Readonly<Record<string, number>>
  readonly operands: Readonly<Record<string, ValueId>>
  readonly params: Readonly<Record<string, number | string>>
}

export interface Output {
  readonly name: string
  readonly value: ValueId
}

/** Nodes stand in the order of execution. `inputs` and `outputs` are in the order of the program's slots. */
export interface Graph {
  readonly values: readonly Value[]
  readonly nodes: readonly Node[]
  readonly inputs: readonly ValueId[]
  readonly outputs: readonly Output[]
}

export const elements = (shape: readonly number[]): number => shape.reduce((total, size) => total * size, 1)

/** `f32[2, 64, 64, 320]` */
export const describe = (value: Pick<Value, 'dtype' | 'shape'>): string =>
  `${value.dtype}[${value.shape.join(', ')}]`
