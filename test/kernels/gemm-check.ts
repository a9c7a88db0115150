// Runs one linear or conv2d through the addon and judges it by the op's reference: in float64 for the truth, in
// float32 for the error that the naive implementation makes.

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { opOf } from '../../lib/graph/ops.ts'
import type { Op } from '../../lib/graph/spec.ts'
import { compile, loadWeights, type WeightLocation } from '../../lib/runtime/program.ts'
import { encode, noise, type PlanNode, type PlanValue, temporaryFolder } from '../native/plans.ts'

export interface GemmCase {
  readonly op: 'linear' | 'conv2d'
  readonly dims: Readonly<Record<string, number>>
  readonly params: Readonly<Record<string, number | string>>
  /** Stored type of the matrix; vectors take it too. */
  readonly dtype: 'f32' | 'f16' | 'bf16'
  /** Optional operands that are given. */
  readonly given: readonly string[]
  /** Whether y takes the memory of the residual. */
  readonly inPlace?: boolean
}

const sizeOf = (c: GemmCase, operand: string) =>
  opOf(c.op).operands[operand]!.dims.reduce((product, dim) => product * c.dims[dim]!, 1)

/** Bits of a number that is a half already. */
function halfBits(value: number): number {
  if (value === 0) return 0
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(value))), -14)
  const mantissa = Math.abs(value) / 2 ** (exponent - 10)
  return (value < 0 ? 0x8000 : 0) + ((exponent + 14) << 10) + mantissa
}

/** Numbers in [-1, 1) that the type holds exactly, some of them subnormal halves, and their bytes. */
function weightOf(count: number, seed: number, dtype: GemmCase['dtype']) {
  const raw = noise(count, seed)
  if (dtype === 'f32') return { values: raw, bytes: new Uint8Array(raw.buffer) }
  if (dtype === 'bf16') {
    const words = new Uint32Array(raw.buffer).map((word) => word & 0xffff0000)
    const bits = Uint16Array.from(words, (word) => word >>> 16)
    return { values: new Float32Array(words.buffer), bytes: new Uint8Array(bits.buffer) }
  }
  const values = raw.map((x, i) =>
    i % 97 === 5 ? Math.round(x * 1000) * 2 ** -24 : Math.round(x * 1024) / 1024,
  )
  return { values, bytes: new Uint8Array(Uint16Array.from(values, halfBits).buffer) }
}

interface Prepared {
  readonly args: Record<string, Float32Array | number | string | undefined>
  readonly weights: readonly WeightLocation[]
  readonly inputs: Readonly<Record<string, Float32Array>>
  readonly folder: string
}

function prepare(c: GemmCase): Prepared {
  const folder = temporaryFolder()
  const args: Prepared['args'] = { ...c.dims, ...c.params }
  const weights: WeightLocation[] = []
  const inputs: Record<string, Float32Array> = {}
  let seed = 1
  for (const [name, spec] of Object.entries(opOf(c.op).operands)) {
    seed++
    if (spec.role === 'output' || (spec.optional && !c.given.includes(name))) continue
    if (spec.role === 'input') {
      inputs[name] = noise(sizeOf(c, name), seed)
      args[name] = inputs[name]
      continue
    }
    const { values, bytes } = weightOf(sizeOf(c, name), seed, c.dtype)
    const path = join(folder, name)
    writeFileSync(path, bytes)
    weights.push({ path, offset: 0, dtype: c.dtype, shape: spec.dims.map((dim) => c.dims[dim]!) })
    args[name] = values
  }
  return { args, weights, inputs, folder }
}

function planOf(c: GemmCase, { inputs }: Prepared): ArrayBuffer {
  const values: PlanValue[] = []
  const operands: Record<string, number> = {}
  for (const [name, spec] of Object.entries(opOf(c.op).operands)) {
    if (spec.optional && !c.given.includes(name)) continue
    const place = values.filter((value) => value.space === spec.role).length
    const slot = spec.role === 'input' ? Object.keys(inputs).indexOf(name) : place
    operands[name] = values.push({ space: spec.role, place: slot, bytes: sizeOf(c, name) * 4 }) - 1
  }
  const node: PlanNode = { op: c.op, dims: c.dims, operands, params: c.params }
  return encode({ values, nodes: [node] })
}

async function runOn(threads: number, c: GemmCase, prepared: Prepared): Promise<Float32Array> {
  const weights = await loadWeights(prepared.weights)
  const program = compile(planOf(c, prepared), weights, { threads })
  const inputs = Object.values(prepared.inputs).map((x) => x.slice())
  const residual = inputs[Object.keys(prepared.inputs).indexOf('residual')]
  const y = c.inPlace ? residual! : new Float32Array(sizeOf(c, 'y')).fill(Number.NaN)
  await program.run({ inputs, outputs: [y] })
  await program.dispose()
  weights.dispose()
  return y
}

function judge(y: Float32Array, truth: Float64Array, naive: Float32Array): void {
  let worst = 0
  let worstNaive = 0
  let squares = 0
  let scale = 0
  truth.forEach((value, i) => {
    const error = Math.abs(y[i]! - value)
    worst = Math.max(worst, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error)
    worstNaive = Math.max(worstNaive, Math.abs(naive[i]! - value))
    squares += error * error
    scale = Math.max(scale, Math.abs(value))
  })
  // The floor: the result itself is rounded to float32, and so are the few steps of an activation.
  const limit = 2 * worstNaive + scale * 2 ** -22
  if (worst <= limit) return
  const bad = [...truth.keys()].filter((i) => !(Math.abs(y[i]! - truth[i]!) <= limit)).slice(0, 5)
  const pairs = bad.map((i) => `  [${i}] ${y[i]}, expected ${truth[i]}`).join('\n')
  const rms = Math.sqrt(squares / truth.length)
  expect.fail(`max error ${worst}, rms ${rms}, allowed ${limit} (naive makes ${worstNaive})\n${pairs}`)
}

/** Fails unless the kernel is as exact as it must be, and gives the same bytes with one thread and with three. */
export async function check(c: GemmCase): Promise<void> {
  const op = opOf(c.op) as Op
  const prepared = prepare(c)
  const truth = new Float64Array(sizeOf(c, 'y'))
  const naive = new Float32Array(truth.length)
  const reference = op.reference as (args: object, round: (value: number) => number) => void
  reference({ ...prepared.args, y: truth }, (value) => value)
  reference({ ...prepared.args, y: naive }, Math.fround)
  const y = await runOn(1, c, prepared)
  judge(y, truth, naive)
  expect(Buffer.compare(Buffer.from(y.buffer), Buffer.from((await runOn(3, c, prepared)).buffer))).toBe(0)
  rmSync(prepared.folder, { recursive: true })
}
