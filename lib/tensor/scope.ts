// A place in a model: the prefix that its weights share and that errors name.

import type { Tensor, Trace } from './trace.ts'

export class Scope {
  readonly trace: Trace
  readonly #prefix: string

  constructor(trace: Trace, prefix = '') {
    this.trace = trace
    this.#prefix = prefix
  }

  /** Runs `body` in the part of the model called `name`. */
  in<T>(name: string, body: (scope: Scope) => T): T {
    return this.trace.scope(name, () => body(new Scope(this.trace, `${this.#prefix}${name}.`)))
  }

  /** The weight `name` of this part. */
  weight(name: string, ...shape: number[]): Tensor {
    return this.trace.weight(this.#prefix + name, shape)
  }
}
