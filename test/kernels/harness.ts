// Runs one op through the addon and judges it by the op's reference: in float64 for the truth, in float32 for the
// error that the naive implementation makes.

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { opOf } from '../../lib/graph/ops.ts'
import { bytesPerElement, isVector } from '../../lib/graph/spec.ts'
import { compile, loadWeights, type WeightLocation } from '../../lib/runtime/program.ts'
import { cpu, type Matrices } from '../../lib/runtime/target.ts'
import { noise, type OpCase, operandsOf, sizeOf, type Values } from '../../lib/selftest/op-case.ts'
import { encode, type PlanNode, type PlanValue, temporaryFolder } from '../native/plans.ts'
import { throughBf16 } from './through-bf16.ts'
import { throughInt8 } from './through-int8.ts'

export type { MatrixCase, OpCase } from '../../lib/selftest/op-case.ts'
export { titleOf } from '../../lib/selftest/op-case.ts'

/** Bits of a number that is a half already. */
function halfBits(value: number): number {
  if (value === 0) return 0
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(value))), -14)
  const mantissa = Math.abs(value) / 2 ** (exponent - 10)
  return (value < 0 ? 0x8000 : 0) + ((exponent + 14) << 10) + mantissa
}

/** Numbers in [-1, 1) that the type holds exactly, some of them subnormal halves, and their bytes. */
function weightOf(count: number, seed: number, dtype: NonNullable<OpCase['dtype']>) {
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

export interface CheckOptions {
  /** How matrices are kept; the references compute with what that makes of them, and of what bf16 is multiplied by. */
  readonly matrices?: Matrices
}

interface Prepared {
  readonly matrices: Matrices
  readonly args: Record<string, Values | Float64Array | number | string | undefined>
  readonly weights: readonly WeightLocation[]
  readonly inputs: Readonly<Record<string, Values>>
  readonly folder: string
}

/** Of tables whose neighbours differ in one size only. */
export const everyFifth = (cases: readonly OpCase[]): OpCase[] => cases.filter((_, i) => i % 5 === 0)

/** A convolution of single pixels, or a layer, whose depth is even: products of pairs. */
const hasPairs = ({ dims }: OpCase) =>
  (dims.k ?? dims.c!) % 2 === 0 && (dims.kh ?? 1) === 1 && (dims.kw ?? 1) === 1

/** A matrix as it is kept, in the numbers that it stands for. */
function kept(c: OpCase, matrices: Matrices, values: Float32Array, rows: number): Values | Float64Array {
  if (matrices === 'int8') return throughInt8(values, rows)
  return matrices === 'bf16' && hasPairs(c) ? throughBf16(values) : values
}

function prepare(c: OpCase, { matrices = 'stored' }: CheckOptions): Prepared {
  const { dtype = 'f32' } = c
  const folder = temporaryFolder()
  // Plans hold float32: the references compute with the numbers that the kernel got.
  const params = Object.entries(c.params ?? {}).map(([name, value]) => [
    name,
    typeof value === 'number' ? Math.fround(value) : value,
  ])
  const args: Prepared['args'] = { ...c.dims, ...Object.fromEntries(params) }
  const weights: WeightLocation[] = []
  const inputs: Record<string, Values> = {}
  let seed = 1
  for (const [name, spec] of operandsOf(c)) {
    seed++
    if (spec.role === 'output') continue
    if (spec.role === 'input') {
      inputs[name] = c.inputs?.[name] ?? noise(sizeOf(c, name), seed)
      const isMultiplied = name === 'x' && matrices === 'bf16' && hasPairs(c)
      args[name] = isMultiplied ? throughBf16(inputs[name] as Float32Array) : inputs[name]
      continue
    }
    const { values, bytes } = weightOf(sizeOf(c, name), seed, dtype)
    const path = join(folder, name)
    writeFileSync(path, bytes)
    weights.push({ path, offset: 0, dtype, shape: spec.dims.map((dim) => c.dims[dim]!) })
    args[name] = isVector(spec.packing) ? values : kept(c, matrices, values, c.dims[spec.dims[0]!]!)
  }
  return { matrices, args, weights, inputs, folder }
}

function planOf(c: OpCase): ArrayBuffer {
  const values: PlanValue[] = []
  const operands: Record<string, number> = {}
  for (const [name, { role, dtype }] of operandsOf(c)) {
    const place = values.filter((value) => value.space === role).length
    const bytes = sizeOf(c, name) * bytesPerElement[dtype]
    operands[name] = values.push({ space: role, place, bytes, dtype: role === 'weight' ? 'f32' : dtype }) - 1
  }
  const node: PlanNode = { op: c.op, dims: c.dims, operands, params: c.params ?? {} }
  return encode({ values, nodes: [node] })
}

/** The outputs by name; float32 ones begin `shift` numbers into their buffers. */
async function runOn(
  threads: number,
  c: OpCase,
  prepared: Prepared,
  shift = 0,
): Promise<Record<string, Values>> {
  const weights = await loadWeights(prepared.weights, { ...cpu, matrices: prepared.matrices })
  const program = compile(planOf(c), weights, { threads })
  const inputs = Object.fromEntries(Object.entries(prepared.inputs).map(([name, x]) => [name, x.slice()]))
  const outputs: Record<string, Values> = {}
  for (const [name, { role, dtype, inPlaceOf }] of operandsOf(c)) {
    if (role !== 'output') continue
    const overwritten = opOf(c.op).overwrites?.(c.params ?? {})
    const sources = overwritten === undefined ? inPlaceOf : [overwritten]
    const source = c.inPlace ? sources.find((input) => inputs[input]) : undefined
    const fresh = () => {
      if (dtype === 'u8') return new Uint8Array(sizeOf(c, name))
      if (dtype === 'i32') return new Int32Array(sizeOf(c, name)).fill(-1)
      return new Float32Array(sizeOf(c, name) + shift).fill(Number.NaN).subarray(shift)
    }
    outputs[name] = source ? inputs[source]!.subarray(0, sizeOf(c, name)) : fresh()
  }
  await program.run({ inputs: Object.values(inputs), outputs: Object.values(outputs) })
  await program.dispose()
  weights.dispose()
  return outputs
}

/**
 * The kernel may be twice as far off as the naive implementation. The floors: a result is rounded to float32, and so
 * are the few steps of an activation, by half an ulp (2^-24 of its size) at most each; the reference rounds such an
 * activation once, as no float32 arithmetic can. In the mean that is 2^-24 of the RMS, at worst 2^-22 of the largest.
 * Maxima are draws from long tails (a score that is off shifts a whole row of attention), of a few elements by luck
 * a small one: 4 times the naive maximum or 10 times its RMS may be. A lane, a tail or a tile gone wrong is far beyond.
 * NaN and infinities must be where the truth has them.
 */
export function judge(y: Values, truth: Float64Array, naive: Float32Array, allowance: number): void {
  const finite = [...truth.keys()].filter((i) => Number.isFinite(truth[i]))
  const rms = (f: (i: number) => number) =>
    Math.sqrt(finite.reduce((sum, i) => sum + f(i) ** 2, 0) / finite.length)
  const largest = (f: (i: number) => number) => finite.reduce((most, i) => Math.max(most, f(i)), 0)
  const error = (i: number) => {
    const difference = Math.abs(y[i]! - truth[i]!)
    return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference
  }
  const naiveError = (i: number) => allowance * Math.abs(naive[i]! - truth[i]!)
  const size = (i: number) => Math.abs(truth[i]!)

  const limit = Math.max(4 * largest(naiveError), 10 * rms(naiveError)) + largest(size) * 2 ** -22
  const rmsLimit = 2 * rms(naiveError) + rms(size) * 2 ** -24
  const wrong = (i: number) => (Number.isFinite(truth[i]) ? error(i) > limit : !Object.is(y[i], truth[i]))
  const bad = [...truth.keys()].filter(wrong)
  if (bad.length === 0 && !(rms(error) > rmsLimit)) return
  const order = bad.length > 0 ? bad : finite.toSorted((i, j) => error(j) - error(i))
  const pairs = order.slice(0, 5).map((i) => `  [${i}] ${y[i]}, expected ${truth[i]}`)
  expect.fail(
    `max error ${largest(error)}, allowed ${limit} (naive makes ${largest(naiveError)}); ` +
      `rms error ${rms(error)}, allowed ${rmsLimit} (naive makes ${rms(naiveError)})\n${pairs.join('\n')}`,
  )
}

/** Every output as the reference computes it. */
function referenceOf(c: OpCase, { args }: Prepared, Type: typeof Float64Array | typeof Float32Array) {
  const round = Type === Float64Array ? (value: number) => value : Math.fround
  const names = operandsOf(c).flatMap(([name, { role }]) => (role === 'output' ? [name] : []))
  const outputs = Object.fromEntries(names.map((name) => [name, new Type(sizeOf(c, name))]))
  const reference = opOf(c.op).reference as (args: object, round: (value: number) => number) => void
  reference({ ...args, ...outputs }, round)
  return outputs
}

/** What the kernel computes, judged by nobody; float32 outputs begin `shift` numbers into their buffers. */
export async function outputsOf(
  c: OpCase,
  options: CheckOptions = {},
  shift = 0,
): Promise<Record<string, Values>> {
  const prepared = prepare(c, options)
  const outputs = await runOn(3, c, prepared, shift)
  rmSync(prepared.folder, { recursive: true })
  return outputs
}

/** Fails unless the kernel is as exact as it must be, and gives the same bytes with one thread and with three. */
export async function check(c: OpCase, options: CheckOptions = {}): Promise<void> {
  const prepared = prepare(c, options)
  const truth = referenceOf(c, prepared, Float64Array)
  const naive = referenceOf(c, prepared, Float32Array)
  const outputs = await runOn(1, c, prepared)
  const again = await runOn(3, c, prepared)
  for (const [name, y] of Object.entries(outputs)) {
    judge(y, truth[name] as Float64Array, naive[name] as Float32Array, c.allowance ?? 1)
    expect(Buffer.compare(Buffer.from(y.buffer), Buffer.from(again[name]!.buffer))).toBe(0)
  }
  rmSync(prepared.folder, { recursive: true })
}
