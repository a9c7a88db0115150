// All passes in order: a traced graph becomes the plan that the addon compiles.

import { encode } from './encode.ts'
import { fuse } from './fuse.ts'
import type { Graph } from './graph.ts'
import { planMemory } from './plan-memory.ts'
import { verify } from './verify.ts'

/** Each optimisation can be switched off; results stay the same. */
export interface PassOptions {
  readonly fuse?: boolean
  readonly reuseMemory?: boolean
}

export interface Plan {
  readonly graph: Graph
  readonly arenaBytes: number
  readonly words: ArrayBuffer
}

export function makePlan(
  traced: Graph,
  weightIndex: (name: string) => number,
  options: PassOptions = {},
): Plan {
  verify(traced)
  const graph = options.fuse === false ? traced : verify(fuse(traced))
  const memory = planMemory(graph, { reuse: options.reuseMemory ?? true })
  return { graph, arenaBytes: memory.arenaBytes, words: encode(graph, memory, weightIndex) }
}
