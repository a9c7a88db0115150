// The machine and the versions that results hold for.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { release, totalmem, type } from 'node:os'
import { fileURLToPath } from 'node:url'
import { devices } from '../lib/runtime/device.ts'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  /** Of tintype's kernels. */
  readonly isa: string
  readonly memoryBytes: number
  readonly os: string
  readonly arch: string
  readonly node: string
  readonly tintype: string
  /** Of the checkout; `+` where files differ from it, undefined outside of one. */
  readonly commit: string | undefined
}

const root = fileURLToPath(new URL('..', import.meta.url))

function git(...args: string[]): string | undefined {
  try {
    return execFileSync('git', args, {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return undefined
  }
}

/** Differences in what is measured; notes and tests do not count. */
const changed = () => git('status', '--porcelain', '--', 'lib', 'kernels', 'native') !== ''

export function describeMachine(): Machine {
  const cpu = devices()[0]!
  const commit = git('rev-parse', '--short', 'HEAD')
  const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string }
  return {
    cpu: cpu.description,
    cores: cpu.cores,
    isa: cpu.isa,
    memoryBytes: totalmem(),
    os: `${type()} ${/^[\d.]+/.exec(release())?.[0] ?? release()}`,
    arch: process.arch,
    node: process.version,
    tintype: version,
    commit: commit && (changed() ? `${commit}+` : commit),
  }
}
