// Files from elsewhere that tests of old and other systems need: fetched once, checked, kept in build/downloads.

import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'
import { fs } from 'zx'

const folder = resolve('build/downloads')

/** @returns the path of a file with these contents */
export async function download(url: string, sha256: string): Promise<string> {
  const file = join(folder, url.split('/').at(-1)!)
  if (await fs.pathExists(file)) return file
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`)
  const data = Buffer.from(await response.arrayBuffer())
  const found = createHash('sha256').update(data).digest('hex')
  if (found !== sha256) throw new Error(`${url}: expected SHA-256 ${sha256}, got ${found}`)
  await fs.outputFile(file, data)
  return file
}
