// How soon a cancel ends a task whose work grows with the picture: in questions, which the kernel is compiled by itself to count.

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const compiler = process.env.CXX ?? 'c++'
const missing = spawnSync(compiler, ['--version']).status !== 0
if (missing) console.warn(`how soon tasks end is not tested: ${compiler} was not found`)

describe.skipIf(missing)('tasks that match tokens', () => {
  let folder: string
  let program: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tintype-cancel-'))
    program = join(folder, 'cancel')
    const isa = process.arch === 'arm64' ? 'neon' : 'baseline'
    const source = fileURLToPath(new URL('cancel.cc', import.meta.url))
    execFileSync(compiler, ['-std=c++20', '-O1', `-DTINTYPE_ISA=${isa}`, source, '-o', program])
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const run = (side: number, no: number) => {
    const [asks, matched] = execFileSync(program, [`${side}`, `${no}`], { encoding: 'utf8' }).split(' ')
    return { asks: Number(asks), matched: Number(matched) }
  }

  it.each([16, 64, 128])('ask before every hundred destinations, in a map of %i tokens a side', (side) => {
    const [tokens, destinations] = [side ** 2, (side / 2) ** 2]
    const { asks, matched } = run(side, Number.MAX_SAFE_INTEGER)
    expect(matched).toBe(tokens - destinations)
    // A task has at most 128 tokens.
    expect(asks).toBeGreaterThanOrEqual((matched / 128) * (destinations / 100))
  })

  it('end at a yes, wherever they are', () => {
    const tasks = (0.75 * 64 ** 2) / 128
    expect(run(64, 0)).toEqual({ asks: tasks, matched: 0 })
    expect(run(64, 1)).toEqual({ asks: 1 + tasks, matched: 0 })
    const all = run(64, Number.MAX_SAFE_INTEGER)
    const last = run(64, all.asks - 1)
    expect(last).toEqual({ asks: all.asks, matched: all.matched - 128 })
  })
})
