// One small plan for each op of the table, with weights where it has some: what the fuzzer starts from.

import { stepCoefficients } from '../../lib/graph/ops/scheduler-step.ts'
import { type OpName, opNames, opOf } from '../../lib/graph/ops.ts'
import { bytesPerElement } from '../../lib/graph/spec.ts'
import type { WeightLocation } from '../../lib/runtime/program.ts'
import { type HandPlan, noise, type PlanNode, type PlanValue, writeWeights } from './plans.ts'

const width = stepCoefficients.length

interface Sample extends Pick<PlanNode, 'dims' | 'params'> {
  /** Operands that exclude others. */
  readonly without?: readonly string[]
}

/** Small dimensions that straddle a vector, and parameters. */
const samples: Readonly<Record<OpName, Sample>> = {
  linear: { dims: { m: 5, n: 33, k: 17 }, params: { activation: 'silu' } },
  linearGeglu: { dims: { m: 5, n: 32, n2: 64, k: 7 }, params: { eps: 1e-5 } },
  projections: { dims: { m: 5, n: 19, k: 17 }, params: { eps: 1e-5, activation: 'silu' } },
  conv2d: {
    dims: { n: 2, h: 5, w: 4, c: 3, ho: 10, wo: 8, o: 6, kh: 3, kw: 3, rows: 2 },
    params: {
      stride: 1,
      padTop: 1,
      padLeft: 1,
      padBottom: 1,
      padRight: 1,
      upsample: 2,
      activation: 'none',
      inputActivation: 'silu',
      algorithm: 'winograd4',
    },
  },
  upsampleConv2d: {
    dims: { n: 2, h: 3, w: 2, c: 8, ho: 6, wo: 4, o: 6, kh: 3, kw: 3 },
    params: { activation: 'silu' },
  },
  attention: {
    dims: { n: 2, lq: 7, lk: 9, c: 24 },
    params: { heads: 3, scale: 0.3, mask: 'causal', arithmetic: 'f32' },
  },
  matchTokens: { dims: { n: 2, h: 3, w: 5, c: 9, windows: 6, kept: 8 } },
  mergeTokens: { dims: { n: 2, hw: 11, c: 19, kept: 6 } },
  unmergeTokens: { dims: { n: 2, hw: 11, c: 19, kept: 6 } },
  groupNorm: { dims: { n: 2, hw: 9, c: 12 }, params: { groups: 4, eps: 1e-5, activation: 'silu' } },
  groupFactors: {
    ...{ dims: { n: 2, hw: 9, c: 12 }, params: { groups: 4, eps: 1e-5 } },
    without: ['channelMean', 'channelVariance'],
  },
  layerNorm: { dims: { m: 3, c: 20 }, params: { eps: 1e-5 } },
  activation: { dims: { count: 37 }, params: { activation: 'gelu' } },
  geglu: { dims: { m: 3, n: 18, n2: 36 } },
  embedding: { dims: { m: 6, c: 20, rows: 11, length: 3 } },
  timestepEmbedding: { dims: { m: 2, dim: 21 }, params: { cosFirst: 1, shift: 0 } },
  add: { dims: { count: 37 } },
  addRowBias: { dims: { n: 2, hw: 5, c: 19, rows: 2 } },
  scale: { dims: { count: 37, one: 1 }, params: { factor: 0.5 } },
  narrow: { dims: { count: 33 } },
  widen: { dims: { count: 33 } },
  concat: { dims: { m: 3, ca: 5, cb: 18, c: 23 } },
  concatGroupNorm: {
    dims: { n: 2, hw: 9, ca: 64, cb: 8, c: 72 },
    params: { groups: 4, eps: 1e-5, activation: 'silu' },
  },
  concatLinear: { dims: { m: 5, n: 19, ca: 64, cb: 8, k: 72 } },
  tile: { dims: { times: 3, count: 21 } },
  upsample: { dims: { n: 2, h: 3, w: 2, c: 5, ho: 5, wo: 4 } },
  toPixels: { dims: { count: 37 } },
  fromPixels: { dims: { count: 37 } },
  sampleGaussian: { dims: { m: 5, c: 4, c2: 8 }, params: { factor: 0.18215 } },
  predictClean: { dims: { count: 37, copies: 2, width } },
  dynamicThreshold: { dims: { n: 2, count: 35 }, params: { percentile: 0.9, max: 2 } },
  schedulerStep: { dims: { count: 37, copies: 2, width: width + 2, depth: 2 } },
}

export interface OpPlan {
  readonly op: OpName
  readonly plan: HandPlan
  readonly weights: readonly WeightLocation[]
}

/** The op over inputs and outputs of JavaScript, its operands first copied into the arena half of the time. */
function planOf(op: OpName, file: string): OpPlan {
  const { dims, params, without } = samples[op]
  const values: PlanValue[] = []
  const operands: Record<string, number> = {}
  const tensors: { shape: number[]; data: Float32Array }[] = []
  let arenaBytes = 0
  const add = (value: PlanValue) => values.push(value) - 1
  const slots = (space: string) => values.filter((value) => value.space === space).length
  const copies: PlanNode[] = []
  for (const [name, spec] of Object.entries(opOf(op).operands)) {
    if (without?.includes(name)) continue
    const shape = spec.dims.map((dim) => dims[dim]!)
    const count = shape.reduce((product, dim) => product * dim, 1)
    const bytes = count * bytesPerElement[spec.dtype]
    if (spec.role === 'weight') {
      operands[name] = add({ space: 'weight', place: tensors.length, bytes })
      tensors.push({ shape, data: noise(count, tensors.length + 1) })
      continue
    }
    operands[name] = add({ space: spec.role, place: slots(spec.role), bytes, dtype: spec.dtype })
    if (spec.role === 'input' && spec.dtype === 'f32' && slots('input') % 2 === 1) {
      const copy = add({ space: 'arena', place: arenaBytes, bytes })
      arenaBytes += Math.ceil(bytes / 64) * 64
      copies.push({ op: 'tile', dims: { times: 1, count }, operands: { x: operands[name], y: copy } })
      operands[name] = copy
    }
  }
  const node: PlanNode = { op, dims, operands, ...(params && { params }) }
  const weights = tensors.length > 0 ? writeWeights(tensors, `${file}.${op}`) : []
  return { op, plan: { arenaBytes, values, nodes: [...copies, node] }, weights }
}

export const everyOp = (file: string): OpPlan[] => opNames.map((op) => planOf(op, file))
