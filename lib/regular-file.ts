// Files from outside, opened without waiting. A pipe waits for its writer and a device has no end: read like a file, each would hold
// one of libuv's few threads, for which even process.exit() waits.

import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

export interface RegularFile {
  readonly handle: FileHandle
  readonly size: number
}

/**
 * Opens a file for reading; what the system refuses comes as its own error.
 *
 * @param notAFile what to throw for a folder, a pipe or a device
 */
export async function openRegularFile(path: string, notAFile: () => Error): Promise<RegularFile> {
  // Windows has no O_NONBLOCK, and no pipes in folders.
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    const stat = await handle.stat()
    if (!stat.isFile()) throw notAFile()
    return { handle, size: stat.size }
  } catch (error) {
    await handle.close()
    throw error
  }
}

export interface ReadingRules {
  readonly mostBytes: number
  readonly tooLarge: (bytes: number) => Error
  readonly notAFile: () => Error
}

/** The bytes that a file has when it is opened. */
export async function readRegularFile(
  path: string,
  { mostBytes, tooLarge, notAFile }: ReadingRules,
): Promise<Buffer> {
  const { handle, size } = await openRegularFile(path, notAFile)
  try {
    if (size > mostBytes) throw tooLarge(size)
    // Not readFile(): files of /proc say that they are empty, and it would read on for as long as they give something.
    const bytes = Buffer.alloc(size)
    let done = 0
    while (done < size) {
      const { bytesRead } = await handle.read(bytes, done, size - done, done)
      if (bytesRead === 0) break
      done += bytesRead
    }
    return bytes.subarray(0, done)
  } finally {
    await handle.close()
  }
}
