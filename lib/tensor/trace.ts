// Recording: models call functions on symbolic tensors, a trace writes down which ops that means.

import { TintypeError } from '../errors.ts'
import { describe, type Graph, type Node, type Output, type Value, type ValueId } from '../graph/graph.ts'
import type { OpName } from '../graph/ops.ts'
import { opOf } from '../graph/ops.ts'
import type { DType } from '../graph/spec.ts'

/** A shape without numbers in it yet. Images are (N, H, W, C), sequences (N, L, C). */
export class Tensor {
  readonly trace: Trace
  readonly value: ValueId
  readonly shape: readonly number[]

  constructor(trace: Trace, value: ValueId, shape: readonly number[]) {
    this.trace = trace
    this.value = value
    this.shape = shape
  }

  get dtype(): DType {
    return this.trace.dtypeOf(this.value)
  }

  /** The same memory seen in another shape. */
  reshape(...shape: number[]): Tensor {
    const size = (s: readonly number[]) => s.reduce((total, n) => total * n, 1)
    if (size(shape) !== size(this.shape)) {
      throw new TintypeError(
        'INVALID_CONFIG',
        `${this.trace.place}: cannot see ${describe(this)} as (${shape}).`,
      )
    }
    return new Tensor(this.trace, this.value, shape)
  }
}

export interface Emission {
  readonly dims: Readonly<Record<string, number>>
  /** Undefined operands are left out. */
  readonly operands: Readonly<Record<string, Tensor | undefined>>
  readonly params?: Readonly<Record<string, number | string>>
  /** Shape of each output that is wanted. */
  readonly outputs: Readonly<Record<string, readonly number[]>>
}

export class Trace {
  readonly #values: Value[] = []
  readonly #nodes: Node[] = []
  readonly #inputs: ValueId[] = []
  readonly #outputs: Output[] = []
  readonly #weights = new Map<string, Tensor>()
  readonly #scopes: string[] = []

  /** Where in the model the trace is: `unet.down_blocks.0`. */
  get place(): string {
    return this.#scopes.join('.') || 'graph'
  }

  dtypeOf(value: ValueId): DType {
    return this.#values[value]!.dtype
  }

  /** Everything that `body` records is said to arise in `name`. */
  scope<T>(name: string, body: () => T): T {
    this.#scopes.push(name)
    try {
      return body()
    } finally {
      this.#scopes.pop()
    }
  }

  input(name: string, dtype: DType, shape: readonly number[]): Tensor {
    const tensor = this.#add({ kind: 'input', name, dtype, shape })
    this.#inputs.push(tensor.value)
    return tensor
  }

  /** The weight of that name; asked for twice it is the same tensor. */
  weight(name: string, shape: readonly number[]): Tensor {
    const known = this.#weights.get(name)
    if (known) return known
    const tensor = this.#add({ kind: 'weight', name, dtype: 'f32', shape })
    this.#weights.set(name, tensor)
    return tensor
  }

  output(name: string, tensor: Tensor): void {
    this.#outputs.push({ name, value: tensor.value })
  }

  /** Records one op; returns its outputs by name. */
  emit<const E extends Emission>(
    op: OpName,
    { dims, operands, params = {}, outputs }: E,
  ): Record<keyof E['outputs'], Tensor> {
    const ids: Record<string, ValueId> = {}
    for (const [name, tensor] of Object.entries(operands)) if (tensor) ids[name] = tensor.value
    const made: Record<string, Tensor> = {}
    for (const [name, shape] of Object.entries(outputs)) {
      const { dtype } = opOf(op).operands[name]!
      made[name] = this.#add({ kind: 'computed', name: this.place, dtype, shape })
      ids[name] = made[name].value
    }
    this.#nodes.push({ op, dims, operands: ids, params })
    return made as Record<keyof E['outputs'], Tensor>
  }

  /** A model whose parts do not fit together: names the place, what the op needs and what came. */
  fail(op: string, expected: string, got: string): never {
    throw new TintypeError('INVALID_CONFIG', `${this.place}: ${op} expects ${expected}, got ${got}.`)
  }

  graph(): Graph {
    return { values: this.#values, nodes: this.#nodes, inputs: this.#inputs, outputs: this.#outputs }
  }

  #add(value: Value): Tensor {
    return new Tensor(this, this.#values.push(value) - 1, value.shape)
  }
}
