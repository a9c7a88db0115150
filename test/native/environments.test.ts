// Worker threads, and processes that end in the middle of a run: no crash, no hang.

import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { compile, loadWeights } from '../../lib/runtime/program.ts'
import { encode, linear, linearWeights, noise, temporaryFolder, words } from './plans.ts'

const script = fileURLToPath(new URL('children/worker.mjs', import.meta.url))
const [m, n, k] = [256, 256, 256]
const weights = linearWeights(n, k)

/** What children/worker.mjs is to do: `repeats` products of some milliseconds in each run. */
const job = (repeats: number, more: object = {}) => ({
  words: [...words(linear(m, n, k, repeats))],
  weights,
  inputs: [m * k * 4],
  outputs: [m * n * 4],
  ...more,
})
const long = 20_000

const start = (workerData: object) => new Worker(script, { workerData })

describe('worker threads', () => {
  it('run programs side by side with the main thread', async () => {
    const workers = Array.from({ length: 4 }, () => start(job(10, { rounds: 5, ending: 'dispose' })))
    const ends = workers.map((worker) => once(worker, 'exit'))
    using set = await loadWeights(weights)
    await using program = compile(encode(linear(m, n, k, 10)), set)
    for (let round = 0; round < 5; round++) {
      await program.run({ inputs: [noise(m * k)], outputs: [new Float32Array(m * n)] })
    }
    expect((await Promise.all(ends)).map(([code]) => code)).toEqual([0, 0, 0, 0])
  })

  it('may end without disposing of anything', async () => {
    for (let round = 0; round < 5; round++) {
      const [code] = await once(start(job(2)), 'exit')
      expect(code).toBe(0)
    }
  })

  it('can be terminated in the middle of runs', async () => {
    for (let round = 0; round < 15; round++) {
      const worker = start(job(long))
      await once(worker, 'message')
      await sleep(round * 3)
      const begin = performance.now()
      await worker.terminate()
      expect(performance.now() - begin).toBeLessThan(1000)
    }
    using set = await loadWeights(weights)
    await using program = compile(encode(linear(m, n, k)), set)
    await program.run({ inputs: [noise(m * k)], outputs: [new Float32Array(m * n)] })
  })

  it('can be terminated in the middle of many short runs', async () => {
    for (let round = 0; round < 15; round++) {
      const worker = start(job(1, { rounds: 1e6 }))
      await once(worker, 'message')
      await sleep(round * 2)
      await worker.terminate()
    }
  })
})

describe('a process', () => {
  const child = (content: object) => {
    const file = join(temporaryFolder(), 'job.json')
    writeFileSync(file, JSON.stringify(content))
    return spawnSync(process.execPath, [script, file], { encoding: 'utf8', timeout: 60_000 })
  }

  it('stays alive until its runs have ended, and no longer', () => {
    const { status, stdout, stderr } = child(job(50, { ending: 'leave' }))
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'done\n', stderr: '' })
  })

  it('can exit in the middle of a run', () => {
    for (let round = 0; round < 8; round++) {
      const { status, signal, stderr } = child(job(long, { ending: 'exit' }))
      expect({ status, signal, stderr }).toEqual({ status: 7, signal: null, stderr: '' })
    }
  })

  it('can die of an uncaught error in the middle of a run', () => {
    const { status, signal, stderr } = child(job(long, { ending: 'throw' }))
    expect({ status, signal }).toEqual({ status: 1, signal: null })
    expect(stderr).toContain('on purpose')
  })

  it('can load the addon in workers only, one after the other', () => {
    const file = join(temporaryFolder(), 'main.mjs')
    const data = JSON.stringify(job(2))
    writeFileSync(
      file,
      `import { once } from 'node:events'
       import { Worker } from 'node:worker_threads'
       for (let i = 0; i < 4; i++) {
         const worker = new Worker(${JSON.stringify(script)}, { workerData: ${data} })
         if (i % 2) { await once(worker, 'message'); await worker.terminate() }
         else await once(worker, 'exit')
       }
       console.log('alive')`,
    )
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], {
      encoding: 'utf8',
      timeout: 60_000,
    })
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'alive\n', stderr: '' })
  })
})
