// Runs one op on a device, as a plan of its own, and judges it by the op's reference.

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Graph, Value } from '../graph/graph.ts'
import { opOf } from '../graph/ops.ts'
import { makePlan } from '../graph/plan.ts'
import { isVector } from '../graph/spec.ts'
import { compile, loadWeights, type WeightLocation } from '../runtime/program.ts'
import { cpu, elementTypeOf, type Target } from '../runtime/target.ts'
import { sumLossOf } from './fast-sums.ts'
import { type ElementType, roundTo } from './half.ts'
import { type Judgement, judge } from './judge.ts'
import { noise, type OpCase, operandsOf, sizeOf, type Values } from './op-case.ts'

/** Whether a device that computes in half precision keeps the operand in it. */
export const isElement = (c: OpCase, operand: string): boolean => {
  const { role, dtype, keepsFloat, packing } = opOf(c.op).operands[operand]!
  return dtype === 'f32' && (role === 'weight' ? !isVector(packing) : !keepsFloat)
}

/** Numbers for the kernel and its reference, the same every time, rounded to what the device holds. */
export function makeData(c: OpCase, element: ElementType): Map<string, Values> {
  const data = new Map<string, Values>()
  let seed = 1
  for (const [name, { role }] of operandsOf(c)) {
    seed++
    if (role === 'output') continue
    const values = c.inputs?.[name] ?? noise(sizeOf(c, name), seed)
    data.set(name, isElement(c, name) ? values.map((value) => roundTo(element, value)) : values)
  }
  return data
}

/** Every output as the reference computes it. */
export function referenceOf(
  c: OpCase,
  data: ReadonlyMap<string, Values>,
  round: (value: number) => number,
): Map<string, Float64Array> {
  // Plans hold float32.
  const params = Object.entries(c.params ?? {}).map(([name, value]) => [
    name,
    typeof value === 'number' ? Math.fround(value) : value,
  ])
  const outputs = new Map(
    operandsOf(c).flatMap(([name, { role }]) =>
      role === 'output' ? [[name, new Float64Array(sizeOf(c, name))] as const] : [],
    ),
  )
  const args = { ...c.dims, ...Object.fromEntries([...params, ...data, ...outputs]) }
  const reference = opOf(c.op).reference as (args: object, round: (value: number) => number) => void
  reference(args, round)
  return outputs
}

/** A graph of the one op. */
function graphOf(c: OpCase): Graph {
  const values: Value[] = []
  const operands: Record<string, number> = {}
  for (const [name, { role, dtype, dims }] of operandsOf(c)) {
    const kind = role === 'output' ? 'computed' : role
    operands[name] = values.push({ kind, name, dtype, shape: dims.map((dim) => c.dims[dim]!) }) - 1
  }
  const spec = opOf(c.op)
  const dims = Object.fromEntries(spec.dims.map((dim) => [dim, c.dims[dim] ?? 0]))
  const params = Object.fromEntries(
    Object.entries(spec.params).map(([name, { values: names }]) => [
      name,
      c.params?.[name] ?? (names ? names[0]! : 0),
    ]),
  )
  const ids = (role: string) =>
    operandsOf(c).flatMap(([name, spec]) => (spec.role === role ? [operands[name]!] : []))
  return {
    values,
    nodes: [{ op: c.op, dims, operands, params }],
    inputs: ids('input'),
    outputs: ids('output').map((value) => ({ name: values[value]!.name, value })),
  }
}

/** Files of weights for one case. A table that is read as it lies has the type that the case names. */
function writeWeights(c: OpCase, data: ReadonlyMap<string, Values>, folder: string): WeightLocation[] {
  return operandsOf(c).flatMap(([name, { role, dims }]): WeightLocation[] => {
    if (role !== 'weight') return []
    const path = join(folder, `${name}.bin`)
    writeFileSync(path, new Uint8Array((data.get(name) as Float32Array).slice().buffer))
    return [{ path, offset: 0, dtype: 'f32', shape: dims.map((dim) => c.dims[dim]!) }]
  })
}

export interface CaseResult {
  /** The worst output. */
  readonly judgement: Judgement
  readonly output: string
}

/** Every output as a device computes it. */
async function outputsOn(
  target: Target,
  c: OpCase,
  data: ReadonlyMap<string, Values>,
  folder: string,
): Promise<Map<string, Values>> {
  const locations = writeWeights(c, data, folder)
  const names = operandsOf(c).flatMap(([name, { role }]) => (role === 'weight' ? [name] : []))
  const passes = {
    ...{ fuse: false, winograd: false, strassen: false, normalizeOnLoad: false, shareCopies: false },
    ...(target.precision && { precision: elementTypeOf(target.precision) }),
  }
  const { graph, words } = makePlan(graphOf(c), (name) => names.indexOf(name), passes)
  const weights = await loadWeights(locations, target)
  const program = compile(words, weights, { target })
  const outputs = new Map<string, Values>(
    graph.outputs.map(({ name }) => {
      const { dtype } = opOf(c.op).operands[name]!
      const size = sizeOf(c, name)
      if (dtype === 'u8') return [name, new Uint8Array(size)]
      if (dtype === 'i32') return [name, new Int32Array(size).fill(-1)]
      return [name, new Float32Array(size).fill(Number.NaN)]
    }),
  )
  const inputs = graph.inputs.map((id) => data.get(graph.values[id]!.name)!)
  try {
    await program.run({ inputs, outputs: [...outputs.values()] })
  } finally {
    await program.dispose()
    weights.dispose()
    for (const { path } of locations) rmSync(path, { force: true })
  }
  return outputs
}

/** What is right, and what the naive way makes of it before it is stored. */
async function standardsOf(c: OpCase, data: ReadonlyMap<string, Values>, folder: string) {
  if (!c.isLarge) {
    return { truth: referenceOf(c, data, (value) => value), naive: referenceOf(c, data, Math.fround) }
  }
  const outputs = await outputsOn(cpu, c, data, folder)
  const truth = new Map([...outputs].map(([name, y]) => [name, Float64Array.from(y)] as const))
  return { truth, naive: truth }
}

/**
 * Runs a case.
 *
 * @param folder where weights may be written
 * @throws TintypeError what the device throws: `DEVICE_LOST` after a kernel that left its memory
 */
export async function runCase(c: OpCase, target: Target, folder: string): Promise<CaseResult> {
  const precision = target.precision ?? 'f16'
  const element = elementTypeOf(precision)
  const data = makeData(c, element)
  const sumLoss = sumLossOf(c, data, precision)
  const { truth, naive } = await standardsOf(c, data, folder)
  const outputs = await outputsOn(target, c, data, folder)
  const results = [...outputs].map(([output, y]): CaseResult => {
    // Allowances are for results in float32: what is stored as an element must be as exact as that.
    const rounded = isElement(c, output)
    const store = rounded ? (value: number) => roundTo(element, value) : Math.fround
    const allowance = rounded ? 1 : (c.allowance ?? 1)
    const judgement = judge(y, truth.get(output)!, naive.get(output)!.map(store), {
      store,
      allowance,
      sumLoss,
    })
    return { output, judgement }
  })
  return results.reduce((worst, one) => (one.judgement.share > worst.judgement.share ? one : worst))
}
