// One op of the op table on the interpreted device: its numbers as the device keeps them, and what it launches.

import { opNames, opOf } from '../../lib/graph/ops.ts'
import { isVector } from '../../lib/graph/spec.ts'
import { elementTypeOf, type GpuPrecision } from '../../lib/runtime/target.ts'
import { bitsOf, type ElementType, numberOf } from '../../lib/selftest/half.ts'
import { type OpCase, operandsOf, sizeOf, type Values } from '../../lib/selftest/op-case.ts'
import { device, type Launched, orders, ptxPath } from './device.ts'

/** The GPU that is played, and in which order it runs the warps of a block. */
export interface PlayedGpu {
  readonly architecture: number
  readonly processors: number
  readonly order: (typeof orders)[number]
  /** Where its kernels are, as PTX; by default where they were built. */
  readonly folder?: string
}

const dtypes = ['f32', 'f16', 'bf16', 'i32', 'u8']

/** How the device keeps an operand. */
export function storedAs(c: OpCase, operand: string): 'f32' | 'i32' | 'u8' | 'element' {
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

type Encoded = Pick<OpCase, 'op' | 'dims' | 'params'>

/** The op as a plan encodes it, operands numbered in their order. */
export function encode(c: Encoded, numbers: ReadonlyMap<string, number>): Uint32Array {
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

/** An op alone, its operands numbered in their order. */
export const encodeCase = (c: OpCase): Uint32Array =>
  encode(c, new Map(operandsOf(c).map(([name], i) => [name, i])))

export function runOn(
  gpu: PlayedGpu,
  c: OpCase,
  data: ReadonlyMap<string, Values>,
  precision: GpuPrecision,
): { readonly outputs: Map<string, Values>; readonly launched: readonly Launched[] } {
  const element = elementTypeOf(precision)
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
    const isMatrix = spec.role === 'weight' && !isVector(spec.packing)
    const stored = isMatrix ? 'element' : storedAs(c, name)
    const values = data.get(name) ?? new Float32Array(sizeOf(c, name)).fill(Number.NaN)
    const bytes =
      stored === 'u8' && !data.has(name) ? new Uint8Array(values.length) : toBytes(values, stored, element)
    numbers.set(name, operands.push({ bytes, dtype: dtypes.indexOf(isMatrix ? element : 'f32') }) - 1)
  }
  const target = {
    // What fast has no kernels for is as in f16.
    folders: gpu.folder
      ? [gpu.folder]
      : [...new Set([precision, element])].map((name) => ptxPath(`sm_${gpu.architecture}`, name)),
    architecture: gpu.architecture,
    processors: gpu.processors,
    isFast: precision === 'fast',
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
