// `check` for the cases of the CPU kernels (test/kernels), on every architecture of the interpreted device. The test
// files there import './harness.ts'; vitest.config.ts puts this one in its place.

import { expect, inject, it } from 'vitest'
import { opNames, opOf } from '../../lib/graph/ops.ts'
import type { OpCase } from '../kernels/harness.ts'
import { noise } from '../native/plans.ts'
import { device, type Launched, orders, ptxPath } from './device.ts'
import { bitsOf, type ElementType, numberOf, roundTo } from './half.ts'
import { judge } from './judge.ts'

export type { MatrixCase, OpCase } from '../kernels/harness.ts'
export { titleOf } from '../kernels/harness.ts'

/** Different numbers of processors make the hosts choose different tiles and splits. */
const gpus = [
  { architecture: 75, processors: 1, order: 'forward' },
  { architecture: 80, processors: 108, order: 'reverse' },
  { architecture: 86, processors: 1, order: 'random' },
  { architecture: 89, processors: 20, order: 'reverse' },
  { architecture: 90, processors: 2, order: 'random' },
  { architecture: 120, processors: 170, order: 'forward' },
] as const

type Values = Float32Array | Int32Array | Uint8Array
const dtypes = ['f32', 'f16', 'bf16', 'i32', 'u8']

const sizeOf = (c: OpCase, operand: string) =>
  opOf(c.op).operands[operand]!.dims.reduce((product, dim) => product * c.dims[dim]!, 1)

const operandsOf = (c: OpCase) =>
  Object.entries(opOf(c.op).operands).filter(([name, spec]) => !spec.optional || c.given?.includes(name))

/** How the device keeps an operand. */
function storedAs(c: OpCase, operand: string): 'f32' | 'i32' | 'u8' | 'element' {
  const { role, dtype, keepsFloat } = opOf(c.op).operands[operand]!
  if (dtype === 'i32' || dtype === 'u8') return dtype
  if (role === 'weight') return 'f32'
  return keepsFloat ? 'f32' : 'element'
}

function toBytes(values: Values, stored: ReturnType<typeof storedAs>, element: ElementType): Uint8Array {
  const raw = (array: Values | Uint16Array) =>
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
  if (stored === 'element') return raw(Uint16Array.from(values, (value) => bitsOf(element, value)))
  return raw(values).slice()
}

function fromBytes(bytes: Uint8Array, stored: ReturnType<typeof storedAs>, element: ElementType): Values {
  if (stored === 'u8') return bytes
  if (stored === 'i32') return new Int32Array(bytes.buffer)
  if (stored === 'f32') return new Float32Array(bytes.buffer)
  return Float32Array.from(new Uint16Array(bytes.buffer), (bits) => numberOf(element, bits))
}

const floatBits = (value: number) => new Uint32Array(Float32Array.of(value).buffer)[0]!

/** The op as a plan encodes it, operands numbered in their order. */
function encode(c: OpCase, numbers: ReadonlyMap<string, number>): Uint32Array {
  const spec = opOf(c.op)
  return Uint32Array.from([
    opNames.indexOf(c.op),
    ...spec.dims.map((dim) => c.dims[dim] ?? 0),
    ...Object.keys(spec.operands).map((name) => numbers.get(name) ?? 0xffffffff),
    ...Object.entries(spec.params).map(([name, param]) => {
      const value = c.params?.[name] ?? 0
      if (param.values) return typeof value === 'string' ? param.values.indexOf(value) : value
      return param.type === 'float' ? floatBits(value as number) : (value as number)
    }),
  ])
}

/** Numbers that the kernel and its reference are given, rounded to what the device holds. */
function makeData(c: OpCase, element: ElementType): Map<string, Values> {
  const data = new Map<string, Values>()
  let seed = 1
  for (const [name, { role, packing }] of operandsOf(c)) {
    seed++
    if (role === 'output') continue
    const values = c.inputs?.[name] ?? noise(sizeOf(c, name), seed)
    const rounded = storedAs(c, name) === 'element' || (role === 'weight' && packing !== 'vector')
    data.set(name, rounded ? Float32Array.from(values, (value) => roundTo(element, value)) : values)
  }
  return data
}

function referenceOf(c: OpCase, data: ReadonlyMap<string, Values>, round: (value: number) => number) {
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

function runOn(
  gpu: (typeof gpus)[number],
  c: OpCase,
  data: ReadonlyMap<string, Values>,
  element: ElementType,
): { readonly outputs: Map<string, Values>; readonly launched: readonly Launched[] } {
  const operands: { bytes: Uint8Array; dtype: number }[] = []
  const numbers = new Map<string, number>()
  for (const [name, spec] of operandsOf(c)) {
    // Only what is stored alike can share memory.
    const source =
      spec.role === 'output' &&
      c.inPlace &&
      spec.inPlaceOf.find((input) => numbers.has(input) && storedAs(c, input) === storedAs(c, name))
    if (source) {
      numbers.set(name, numbers.get(source)!)
      continue
    }
    const isMatrix = spec.role === 'weight' && spec.packing !== 'vector'
    const stored = isMatrix ? 'element' : storedAs(c, name)
    const values = data.get(name) ?? new Float32Array(sizeOf(c, name)).fill(Number.NaN)
    const bytes =
      stored === 'u8' && !data.has(name) ? new Uint8Array(values.length) : toBytes(values, stored, element)
    numbers.set(name, operands.push({ bytes, dtype: dtypes.indexOf(isMatrix ? element : 'f32') }) - 1)
  }
  const target = {
    folder: ptxPath(`sm_${gpu.architecture}`, element),
    architecture: gpu.architecture,
    processors: gpu.processors,
    element: dtypes.indexOf(element),
    order: orders.indexOf(gpu.order),
  }
  const launched = device().runOp(target, encode(c, numbers), operands)
  const outputs = operandsOf(c).flatMap(([name, { role }]) =>
    role === 'output'
      ? [[name, fromBytes(operands[numbers.get(name)!]!.bytes, storedAs(c, name), element)] as const]
      : [],
  )
  return { outputs: new Map(outputs), launched }
}

/** Kernels that cases of this file ran. */
export const launchedKernels = new Set<string>()

/**
 * Fails unless the kernel is as exact as it must be on every architecture. The cases with bf16 weights run with bf16
 * elements, which sm_75 does not have; all others run with fp16.
 */
export async function check(c: OpCase): Promise<void> {
  const element = c.dtype === 'bf16' ? 'bf16' : 'f16'
  const data = makeData(c, element)
  const truth = referenceOf(c, data, (value) => value)
  const naive = referenceOf(c, data, Math.fround)
  for (const gpu of gpus) {
    if (element === 'bf16' && gpu.architecture < 80) continue
    const { outputs, launched } = runOn(gpu, c, data, element)
    for (const { kernel } of launched) launchedKernels.add(kernel)
    for (const [name, y] of outputs) {
      // Allowances are for results in float32: what is stored as an element must be as exact as that.
      const isElement = storedAs(c, name) === 'element'
      const store = isElement ? (value: number) => roundTo(element, value) : Math.fround
      const allowance = isElement ? 1 : (c.allowance ?? 1)
      const wrong = judge(y, truth.get(name)!, naive.get(name)!.map(store), { store, allowance })
      if (wrong) expect.fail(`${name} on sm_${gpu.architecture}, ${element}: ${wrong}`)
    }
  }
}

const missing = inject('ptxMissing')
it.runIf(missing)(`CUDA kernels are not tested: ${missing}`, () => {})
