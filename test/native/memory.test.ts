// Memory: too little of it is a typed error, and what was taken is given back.

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { compile, requireMemory } from '../../lib/runtime/program.ts'
import {
  addAndDouble,
  encode,
  errorOf,
  type HandPlan,
  linear,
  linearWeights,
  temporaryFolder,
  words,
} from './plans.ts'

/** `addAndDouble` with an arena of any size, the sum at its end. */
function inArena(arenaBytes: number): HandPlan {
  const plan = addAndDouble(16)
  return {
    ...plan,
    arenaBytes,
    values: plan.values.map((value) =>
      value.space === 'arena' ? { ...value, place: arenaBytes - 64 } : value,
    ),
  }
}

describe('a plan that needs more memory than there is', () => {
  it.each([totalmem() * 2, 2 ** 47])(
    'of %d bytes is refused with what it needs and what there is',
    async (bytes) => {
      const program = compile(encode(inArena(Math.ceil(bytes / 64) * 64)), null)
      const x = new Float32Array(16)
      const error = await errorOf(program.run({ inputs: [x, x], outputs: [x] }))
      expect(error).toMatchObject({
        code: 'OUT_OF_MEMORY',
        message: expect.stringMatching(/needs [\d.]+ GiB of memory, [\d.]+ [MG]iB are available/),
      })
      await program.dispose()
      await using small = compile(encode(inArena(64)), null)
      await small.run({ inputs: [x, x], outputs: [x] })
    },
  )
})

describe('memory that JavaScript is about to take', () => {
  it('is refused with what it needs and what there is', () => {
    requireMemory(2 ** 20, 'A test')
    expect(() => requireMemory(2 ** 47, 'A test')).toThrow(
      expect.objectContaining({
        code: 'OUT_OF_MEMORY',
        message: expect.stringMatching(/^A test needs [\d.]+ GiB of memory, [\d.]+ [MG]iB are available/),
      }),
    )
  })
})

interface Measured {
  readonly rssBefore: number
  readonly rssAfter: number
}

/** Runs children/memory.mjs, alone in its process. */
function measure(how: string, plan: HandPlan, weights: readonly object[]): Measured {
  const file = join(temporaryFolder(), 'job.json')
  const sizes = (space: string) =>
    plan.values.filter((value) => value.space === space).map(({ bytes }) => bytes)
  const job = { words: [...words(plan)], weights, inputs: sizes('input'), outputs: sizes('output'), how }
  writeFileSync(file, JSON.stringify(job))
  const script = fileURLToPath(new URL('children/memory.mjs', import.meta.url))
  const { stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', script, file], {
    encoding: 'utf8',
    timeout: 100_000,
  })
  expect(stderr).toBe('')
  return JSON.parse(stdout) as Measured
}

describe('memory is given back', () => {
  const [m, n, k] = [8, 1024, 1024]
  const weights = linearWeights(n, k)
  // 4 MiB of weights in each round, 16 in some: 100 rounds that leak are easily told from none.
  it.each(['dispose', 'collect', 'fail'])('by %s', (how) => {
    const { rssBefore, rssAfter } = measure(how, linear(m, n, k), weights)
    expect(rssAfter - rssBefore).toBeLessThan(32 * 2 ** 20)
  })

  it.each([
    ['when the last program that needs it goes', 'arena'],
    ['when it is released, though programs live on', 'release'],
  ])('of the arena, %s', (_, how) => {
    const bytes = 256 * 2 ** 20
    const count = bytes / 4
    const plan = addAndDouble(16)
    const touched: HandPlan = {
      arenaBytes: bytes,
      values: [...plan.values, { space: 'arena', place: 0, bytes }],
      nodes: [
        { op: 'tile', dims: { times: count / 16, count: 16 }, operands: { x: 0, y: 4 } },
        { op: 'scale', dims: { count: 16, one: 1 }, operands: { x: 4, y: 2 }, params: { factor: 1 } },
      ],
    }
    const { rssBefore, rssAfter } = measure(how, touched, [])
    expect(rssAfter - rssBefore).toBeLessThan(32 * 2 ** 20)
  })
})
