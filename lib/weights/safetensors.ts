// The safetensors format: its header, read and distrusted. The tensors' bytes are never read here; native maps them.

import type { FileHandle } from 'node:fs/promises'
import { TintypeError } from '../errors.ts'
import { openRegularFile, type RegularFile } from '../regular-file.ts'
import { shorten, show } from '../show.ts'
import { jsonKeyCount } from './json-keys.ts'
import { shownName } from './names.ts'

/** Bits of an element, for every type that the format has. */
const dtypeBits = {
  ...{
    BOOL: 8,
    U8: 8,
    I8: 8,
    U16: 16,
    I16: 16,
    U32: 32,
    I32: 32,
    U64: 64,
    I64: 64,
    F16: 16,
    BF16: 16,
    F32: 32,
    F64: 64,
  },
  ...{
    C64: 64,
    F4: 4,
    F6_E2M3: 6,
    F6_E3M2: 6,
    F8_E5M2: 8,
    F8_E4M3: 8,
    F8_E8M0: 8,
    F8_E4M3FNUZ: 8,
    F8_E5M2FNUZ: 8,
  },
} as const

export type StoredDtype = keyof typeof dtypeBits

export interface TensorInfo {
  readonly name: string
  readonly dtype: StoredDtype
  readonly shape: readonly number[]
  readonly path: string
  /** Where the tensor's bytes begin in the file. Not always a multiple of the element's size. */
  readonly offset: number
  readonly bytes: number
}

export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly metadata: ReadonlyMap<string, string>
}

/** Of a tensor; torch and NumPy have no more. */
const MOST_AXES = 64
/**
 * The format allows 100 MB, but what is parsed keeps the event loop: 0.2 s for a megabyte of small objects. The UNet of SDXL
 * has 223 kB.
 */
export const MAX_HEADER_BYTES = 2 * 2 ** 20
const LENGTH_BYTES = 8

/**
 * Reads and checks the header of a safetensors file.
 *
 * @throws TintypeError MODEL_NOT_FOUND when the file cannot be read; INVALID_WEIGHTS, naming file and tensor, for
 * anything that the format forbids, and for a header of more than 2 MiB
 */
export async function readSafetensorsHeader(path: string): Promise<SafetensorsHeader> {
  const { handle, size } = await openForReading(path)
  try {
    const header = await readHeaderText(handle, path, size)
    return parseHeader(header.text, { path, begin: LENGTH_BYTES + header.bytes, size })
  } finally {
    await handle.close()
  }
}

export function damaged(path: string, what: string, advice?: string): TintypeError {
  return new TintypeError('INVALID_WEIGHTS', `${path}: ${what}`, advice === undefined ? {} : { advice })
}

async function openForReading(path: string): Promise<RegularFile> {
  try {
    return await openRegularFile(path, () => damaged(path, 'it is not a file.'))
  } catch (cause) {
    if (cause instanceof TintypeError) throw cause
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
    throw new TintypeError('MODEL_NOT_FOUND', `${path} cannot be read (${reason}).`, {
      advice: 'Was the model downloaded completely?',
      cause,
    })
  }
}

async function readHeaderText(file: FileHandle, path: string, size: number) {
  const advice = 'Download the file again.'
  if (size < LENGTH_BYTES)
    throw damaged(path, `it has ${size} bytes, too few for a safetensors file.`, advice)
  const start = await readExactly(file, path, { bytes: LENGTH_BYTES, from: 0 })
  if (start.toString('latin1') === 'version ') {
    throw damaged(
      path,
      'it is a Git LFS pointer, not the weights.',
      'Run "git lfs pull" in the model folder.',
    )
  }
  const bytes = Number(start.readBigUInt64LE())
  if (bytes > MAX_HEADER_BYTES) {
    throw damaged(
      path,
      `its header claims ${bytes} bytes; tintype reads at most ${MAX_HEADER_BYTES}.`,
      'Download the file again, or save it without its metadata.',
    )
  }
  if (bytes > size - LENGTH_BYTES) {
    throw damaged(
      path,
      `its header claims ${bytes} bytes, but the file has ${size}: it is truncated.`,
      advice,
    )
  }
  const header = await readExactly(file, path, { bytes, from: LENGTH_BYTES })
  try {
    return { bytes, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header) }
  } catch {
    throw damaged(path, 'its header is no UTF-8 text.', advice)
  }
}

async function readExactly(file: FileHandle, path: string, { bytes, from }: { bytes: number; from: number }) {
  const buffer = Buffer.alloc(bytes)
  const { bytesRead } = await file.read(buffer, 0, bytes, from)
  if (bytesRead < bytes)
    throw damaged(path, `it ended after ${from + bytesRead} bytes: it was truncated while being read.`)
  return buffer
}

interface Place {
  readonly path: string
  /** Where the tensors' bytes begin. */
  readonly begin: number
  readonly size: number
}

function parseHeader(text: string, place: Place): SafetensorsHeader {
  const { path } = place
  let json: unknown
  try {
    json = text.startsWith('{') ? JSON.parse(text) : undefined
  } catch {}
  if (!isObject(json)) throw damaged(path, 'its header is no JSON object: this is no safetensors file.')
  const tensors = new Map<string, TensorInfo>()
  const metadata = new Map<string, string>()
  let keys = 0
  for (const [name, value] of Object.entries(json)) {
    if (!isObject(value)) throw damaged(path, `${label(name)} is no JSON object.`)
    keys += 1 + Object.keys(value).length
    if (name === '__metadata__') {
      for (const [key, entry] of Object.entries(value)) {
        if (typeof entry !== 'string') throw damaged(path, `__metadata__.${shorten(key)} is no string.`)
        metadata.set(key, entry)
      }
    } else {
      tensors.set(name, parseTensor(name, value, place))
    }
  }
  // JSON.parse keeps the last of two equal keys; somebody else's parser may keep the first.
  if (jsonKeyCount(text) !== keys) throw damaged(path, 'its header has a key twice.')
  checkCoverage([...tensors.values()], place)
  return { tensors, metadata }
}

function parseTensor(name: string, value: Readonly<Record<string, unknown>>, place: Place): TensorInfo {
  const fail = (what: string) => damaged(place.path, `${label(name)}: ${what}`)
  const { dtype, shape, data_offsets: offsets } = value
  if (!isDtype(dtype)) throw fail(`unknown dtype ${show(dtype)}.`)
  if (!isSizes(shape)) throw fail(`its shape is no list of at most ${MOST_AXES} whole numbers from 0.`)
  if (!isSizes(offsets) || offsets.length !== 2)
    throw fail('its data_offsets are no two whole numbers from 0.')
  const [begin, end] = offsets as [number, number]
  if (begin > end) throw fail(`its bytes end (${end}) before they begin (${begin}).`)
  const available = place.size - place.begin
  if (end > available) {
    throw fail(`its bytes end at ${end}, but the file holds ${available} bytes of tensors: it is truncated.`)
  }
  // Zeros apart, so that they cannot hide an overflow.
  const most = shape.filter((n) => n > 0).reduce((product, n) => product * n, dtypeBits[dtype])
  const bits = shape.includes(0) ? 0 : most
  if (!Number.isSafeInteger(most) || bits !== 8 * (end - begin)) {
    throw fail(`${dtype} (${shape.join(', ')}) does not fill ${end - begin} bytes.`)
  }
  return { name, dtype, shape, path: place.path, offset: place.begin + begin, bytes: end - begin }
}

/** The format allows neither overlaps nor bytes that belong to no tensor: both have hidden things in files. */
function checkCoverage(tensors: readonly TensorInfo[], { path, begin, size }: Place) {
  let covered = begin
  let before: string | undefined
  for (const { name, offset, bytes } of tensors.toSorted(
    (a, b) => a.offset - b.offset || a.bytes - b.bytes,
  )) {
    if (offset < covered) throw damaged(path, `${label(name)} overlaps ${label(before!)}.`)
    if (offset > covered)
      throw damaged(path, `${offset - covered} bytes before ${label(name)} belong to no tensor.`)
    covered += bytes
    before = name
  }
  if (covered !== size) throw damaged(path, `${size - covered} bytes at its end belong to no tensor.`)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isDtype(value: unknown): value is StoredDtype {
  return typeof value === 'string' && Object.hasOwn(dtypeBits, value)
}

function isSizes(value: unknown): value is number[] {
  return (
    Array.isArray(value) && value.length <= MOST_AXES && value.every((n) => Number.isSafeInteger(n) && n >= 0)
  )
}

export function label(name: string): string {
  return `tensor ${JSON.stringify(shownName(name))}`
}
