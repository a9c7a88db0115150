// Stable Diffusion 1.5 at its own size, with random weights: memory, event loop, cancelling.

import { execFile } from 'node:child_process'
import { mkdtemp, rm, statfs } from 'node:fs/promises'
import { freemem, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeRandomModel } from '../../bench/random-model.ts'

const child = fileURLToPath(new URL('./children/full-size.ts', import.meta.url))
const gigabyte = 2 ** 30

const { bavail, bsize } = await statfs(tmpdir())
const fits = bavail * bsize > 4 * gigabyte && freemem() > 6 * gigabyte && process.platform === 'linux'
if (!fits) console.warn('full-size model skipped: needs Linux, 4 GB of disk and 6 GB of memory')

describe.runIf(fits)('Stable Diffusion 1.5 at 512x512', () => {
  let folder: string
  let measured: {
    peakBytes: number
    weightBytes: number
    delayP99: number
    finite: boolean
    aborts: number[]
    timings: object
  }
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tintype-sd15-'))
    await writeRandomModel(folder)
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', child, folder])
    measured = JSON.parse(stdout)
    console.info(measured)
  }, 600_000)
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('needs its weights and at most 1.2 GiB', () => {
    expect(measured.weightBytes).toBeGreaterThan(1.9e9)
    expect(measured.peakBytes).toBeLessThan(measured.weightBytes + 1.2 * gigabyte)
  })

  it('leaves the event loop free', () => {
    expect(measured.delayP99).toBeLessThan(20)
  })

  it('aborts within 200 ms in every stage', () => {
    expect(Math.max(...measured.aborts)).toBeLessThan(200)
  })

  it('computes numbers', () => {
    expect(measured.finite).toBe(true)
  })
})
