// Writes safetensors files for the tests: good ones from a list of tensors, bad ones from any header.

import { writeFile } from 'node:fs/promises'

export interface Entry {
  readonly dtype: string
  readonly shape: readonly unknown[]
  readonly data_offsets: readonly unknown[]
}

/** A file of the given header text (padded as writers do) and so many zero bytes. */
export async function writeRaw(path: string, header: string | Buffer, dataBytes = 0): Promise<void> {
  const text = Buffer.from(header)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  await writeFile(path, Buffer.concat([length, text, Buffer.alloc(dataBytes)]))
}

const elementBytes: Readonly<Record<string, number>> = { F64: 8, I64: 8, F32: 4, F16: 2, BF16: 2, F8_E4M3: 1 }

/** A good file of tensors `{ name: [dtype, ...shape] }`, in that order. */
export async function writeTensors(
  path: string,
  tensors: Readonly<Record<string, readonly [dtype: string, ...shape: number[]]>>,
): Promise<void> {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } }
  let end = 0
  for (const [name, [dtype, ...shape]] of Object.entries(tensors)) {
    const begin = end
    end += shape.reduce((product, n) => product * n, elementBytes[dtype]!)
    header[name] = { dtype, shape, data_offsets: [begin, end] }
  }
  await writeRaw(path, JSON.stringify(header), end)
}
