// The op table: the single source of truth about what can stand in a graph. From it come the C++ argument
// structs and the kernel table (scripts/generate-args.ts), the checks of a plan, and the references of the tests.

import { activation, geglu } from './ops/activation.ts'
import { attention } from './ops/attention.ts'
import { concatGroupNorm, concatLinear } from './ops/concatenated.ts'
import { conv2d } from './ops/conv2d.ts'
import { add, addRowBias, concat, narrow, scale, tile, upsample, widen } from './ops/elementwise.ts'
import { embedding, timestepEmbedding } from './ops/embedding.ts'
import { groupFactors, groupNorm } from './ops/group-norm.ts'
import { projections } from './ops/joined.ts'
import { layerNorm } from './ops/layer-norm.ts'
import { linear, linearGeglu } from './ops/linear.ts'
import { fromPixels, sampleGaussian, toPixels } from './ops/pixels.ts'
import { dynamicThreshold, predictClean, schedulerStep } from './ops/scheduler-step.ts'
import { matchTokens, mergeTokens, unmergeTokens } from './ops/token-merging.ts'
import { upsampleConv2d } from './ops/upsample-conv2d.ts'
import type { Op, OperandSpec } from './spec.ts'

/** The position of an op is its opcode in a plan. */
export const ops = {
  linear,
  linearGeglu,
  projections,
  conv2d,
  upsampleConv2d,
  attention,
  matchTokens,
  mergeTokens,
  unmergeTokens,
  groupNorm,
  groupFactors,
  layerNorm,
  activation,
  geglu,
  embedding,
  timestepEmbedding,
  add,
  addRowBias,
  scale,
  narrow,
  widen,
  concat,
  concatGroupNorm,
  concatLinear,
  tile,
  upsample,
  toPixels,
  fromPixels,
  sampleGaussian,
  predictClean,
  dynamicThreshold,
  schedulerStep,
} as const

export type OpName = keyof typeof ops

export const opNames = Object.keys(ops) as OpName[]

/** The entry of an op without the types of its own operands, for code that treats all ops alike. */
export const opOf = (name: OpName): Op => ops[name] as unknown as Op

const operandEntries = new Map(opNames.map((name) => [name, Object.entries(opOf(name).operands)]))

/** The operands of an op with their names, in the order of the table: what passes ask of thousands of nodes. */
export const operandEntriesOf = (name: OpName): readonly (readonly [string, OperandSpec])[] =>
  operandEntries.get(name)!
