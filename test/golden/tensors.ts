// Reads golden tensors into typed arrays. Test code only: the library never lets weights into JavaScript.

import { readFileSync } from 'node:fs'

export interface GoldenTensor {
  readonly shape: readonly number[]
  readonly data: Float32Array | Int32Array | Uint8Array
}

function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 0) return sign * 2 ** -24 * fraction
  return exponent === 31 ? (fraction ? Number.NaN : sign * Infinity) : sign * 2 ** (exponent - 25) * (1024 + fraction)
}

const bfloatToFloat = (() => {
  const bits = new Uint32Array(1)
  const float = new Float32Array(bits.buffer)
  return (half: number) => {
    bits[0] = half << 16
    return float[0]!
  }
})()

function decode(dtype: string, bytes: ArrayBuffer): GoldenTensor['data'] {
  if (dtype === 'F32') return new Float32Array(bytes)
  if (dtype === 'I32') return new Int32Array(bytes)
  if (dtype === 'U8') return new Uint8Array(bytes)
  if (dtype === 'F16') return Float32Array.from(new Uint16Array(bytes), halfToFloat)
  if (dtype === 'BF16') return Float32Array.from(new Uint16Array(bytes), bfloatToFloat)
  // position_ids of old checkpoints, which nobody reads
  if (dtype === 'I64') return Int32Array.from(new BigInt64Array(bytes), Number)
  throw new Error(`golden tensor of type ${dtype}`)
}

/** Every tensor of a safetensors file by name. */
export function readTensors(path: string | URL): Map<string, GoldenTensor> {
  const file = readFileSync(path)
  const headerBytes = Number(file.readBigUInt64LE(0))
  const header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }> = JSON.parse(
    file.toString('utf8', 8, 8 + headerBytes),
  )
  return new Map(
    Object.entries(header)
      .filter(([name]) => name !== '__metadata__')
      .map(([name, { dtype, shape, data_offsets: [begin, end] }]) => {
        const bytes = Uint8Array.prototype.slice.call(file, 8 + headerBytes + begin, 8 + headerBytes + end)
        return [name, { shape, data: decode(dtype, bytes.buffer) }]
      }),
  )
}

/** (N, C, H, W) as PyTorch has it, to (N, H, W, C). */
export function toNhwc({ shape, data }: GoldenTensor): Float32Array {
  const [n, c, h, w] = shape as [number, number, number, number]
  const out = new Float32Array(data.length)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < c; j++) {
      for (let p = 0; p < h * w; p++) out[(i * h * w + p) * c + j] = data[(i * c + j) * h * w + p]!
    }
  }
  return out
}

/** Relative L2 distance: |a - b| / |b|. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0
  let size = 0
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2
    size += expected[i]! ** 2
  }
  return actual.length === expected.length ? Math.sqrt(difference / size) : Number.NaN
}
