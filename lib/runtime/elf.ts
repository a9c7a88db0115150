// What an ELF file says of itself, as far as loading it could end the process: dlopen reports a wrong architecture or
// a missing library, but it crashes on a file that was cut short, and so may the first call between two libcs.

import { readFileSync } from 'node:fs'
import type { Libc } from './platform.ts'

export interface Elf {
  /** The libc that the file was linked against, where it names one. */
  readonly libc: Libc | undefined
  /** In bytes, as the headers have it. */
  readonly expectedSize: number
  readonly size: number
}

/** @returns undefined for a file that is no 64-bit little-endian ELF; dlopen says what is wrong with it */
export function readElf(file: string): Elf | undefined {
  const bytes = readFileSync(file)
  const [class64, littleEndian] = [2, 1]
  if (bytes.length < 64 || bytes.toString('latin1', 0, 4) !== '\x7fELF') return undefined
  if (bytes[4] !== class64 || bytes[5] !== littleEndian) return undefined
  // e_shoff + e_shentsize * e_shnum: linkers put the section headers last.
  const sections = Number(bytes.readBigUInt64LE(40)) + bytes.readUInt16LE(58) * bytes.readUInt16LE(60)
  // The names of libraries stand in the dynamic string table, each ended by a zero byte.
  const musl = bytes.includes('\0libc.musl-')
  const glibc = bytes.includes('\0libc.so.6\0')
  return { libc: musl ? 'musl' : glibc ? 'glibc' : undefined, expectedSize: sections, size: bytes.length }
}
