// Plans written by hand, word by word as native/plan.h describes them, and the files of weights they use.

import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type OpName, opNames, opOf } from '../../lib/graph/ops.ts'
import type { WeightLocation } from '../../lib/runtime/program.ts'
import { noise } from '../../lib/selftest/op-case.ts'

export { noise }

const absent = 0xffffffff
const spaces = { arena: 0, input: 1, output: 2, weight: 3 } as const
const dtypes = ['f32', 'f16', 'bf16', 'i32', 'u8'] as const

export interface PlanValue {
  readonly space: keyof typeof spaces
  /** Offset in the arena, slot, or index of the weight. */
  readonly place: number
  readonly bytes: number
  readonly dtype?: (typeof dtypes)[number]
}

export interface PlanNode {
  readonly op: OpName
  readonly dims: Readonly<Record<string, number>>
  /** Index of a value for each operand; those that are absent are left out. */
  readonly operands: Readonly<Record<string, number>>
  readonly params?: Readonly<Record<string, number | string>>
}

export interface HandPlan {
  readonly arenaBytes?: number
  readonly values: readonly PlanValue[]
  readonly nodes: readonly PlanNode[]
}

const wide = (value: number) => [value >>> 0, Math.floor(value / 2 ** 32)]
const floatBits = (value: number) => new Uint32Array(Float32Array.of(value).buffer)[0]!

function nodeWords({ op, dims, operands, params = {} }: PlanNode): number[] {
  const spec = opOf(op)
  return [
    opNames.indexOf(op),
    ...spec.dims.map((dim) => dims[dim] ?? 0),
    ...Object.keys(spec.operands).map((name) => operands[name] ?? absent),
    ...Object.entries(spec.params).map(([name, param]) => {
      const value = params[name] ?? 0
      if (param.values) return typeof value === 'string' ? param.values.indexOf(value) : value
      return param.type === 'float' ? floatBits(value as number) : (value as number)
    }),
  ]
}

export function words({ arenaBytes = 0, values, nodes }: HandPlan): Uint32Array<ArrayBuffer> {
  const slots = (space: string) => values.filter((value) => value.space === space).length
  return Uint32Array.from([
    0x4c505454,
    1,
    ...wide(arenaBytes),
    values.length,
    nodes.length,
    slots('input'),
    slots('output'),
    ...values.flatMap(({ space, dtype = 'f32', place, bytes }) => [
      spaces[space],
      dtypes.indexOf(dtype),
      ...wide(place),
      ...wide(bytes),
    ]),
    ...nodes.flatMap(nodeWords),
  ])
}

export const encode = (plan: HandPlan): ArrayBuffer => words(plan).buffer

/** y = 2 * (a + b), with the sum in the arena. */
export function addAndDouble(count: number): HandPlan {
  const bytes = count * 4
  return {
    arenaBytes: Math.ceil(bytes / 64) * 64,
    values: [
      { space: 'input', place: 0, bytes },
      { space: 'input', place: 1, bytes },
      { space: 'output', place: 0, bytes },
      { space: 'arena', place: 0, bytes },
    ],
    nodes: [
      { op: 'add', dims: { count }, operands: { a: 0, b: 1, y: 3 } },
      { op: 'scale', dims: { count, one: 1 }, operands: { x: 3, y: 2 }, params: { factor: 2 } },
    ],
  }
}

/** y = x w^T + bias, `repeats` times over: a program that runs as long as a test wants. */
export function linear(m: number, n: number, k: number, repeats = 1): HandPlan {
  return {
    values: [
      { space: 'input', place: 0, bytes: m * k * 4 },
      { space: 'weight', place: 0, bytes: n * k * 4 },
      { space: 'weight', place: 1, bytes: n * 4 },
      { space: 'output', place: 0, bytes: m * n * 4 },
    ],
    nodes: Array.from({ length: repeats }, () => ({
      op: 'linear' as const,
      dims: { m, n, k },
      operands: { x: 0, w: 1, bias: 2, y: 3 },
    })),
  }
}

/** Attention of `queries` to `keys`, all of one number. */
export function attention(queries: number, keys: number): HandPlan {
  const value = (space: 'input' | 'output', place: number, count: number) => ({
    space,
    place,
    bytes: count * 4,
  })
  return {
    values: [
      value('input', 0, queries),
      value('input', 1, keys),
      value('input', 2, keys),
      value('output', 0, queries),
    ],
    nodes: [
      {
        ...{ op: 'attention', dims: { n: 1, lq: queries, lk: keys, c: 1 } },
        ...{ operands: { q: 0, k: 1, v: 2, y: 3 }, params: { heads: 1, scale: 1 } },
      },
    ],
  }
}

/** A folder for the files of one test, left to the system to remove. */
export const temporaryFolder = () => mkdtempSync(join(tmpdir(), 'tintype-native-'))

/** Writes tensors one after the other into a file, with some bytes before them as a safetensors header has. */
export function writeWeights(
  tensors: readonly { readonly shape: readonly number[]; readonly data: Float32Array }[],
  path = join(temporaryFolder(), 'weights.bin'),
): WeightLocation[] {
  const header = 24
  let offset = header
  const locations = tensors.map(({ shape, data }) => {
    const location = { path, offset, dtype: 'f32' as const, shape }
    offset += data.byteLength
    return location
  })
  const parts = tensors.map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength))
  writeFileSync(path, Buffer.concat([Buffer.alloc(header), ...parts]))
  return locations
}

/** The weights of `linear`. */
export const linearWeights = (n: number, k: number) =>
  writeWeights([
    { shape: [n, k], data: noise(n * k, 2) },
    { shape: [n], data: noise(n, 3) },
  ])

/** Resolves to what a promise or function is rejected with. */
export async function errorOf(
  action: Promise<unknown> | (() => unknown),
): Promise<{ readonly code: string; readonly message: string; readonly name: string }> {
  try {
    await (typeof action === 'function' ? action() : action)
  } catch (error) {
    return error as { code: string; message: string; name: string }
  }
  throw new Error('expected an error')
}
