// How a pipeline ends, with a tiny model: what runs, streams that nobody asks again, files of weights.

import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { load } from '../../lib/index.ts'
import { openGolden } from '../golden/pipelines.ts'

const { folder } = openGolden('sd1')
const options = { prompt: 'a red apple', seed: 5, steps: 4, width: 64, height: 48 } as const

describe('disposal', () => {
  it('ends what runs, and refuses what comes', async () => {
    const doomed = await load(folder)
    const running = doomed.generate({ ...options, steps: 900 })
    const outcome = expect(running).rejects.toMatchObject({ code: 'DISPOSED' })
    await new Promise((resolve) => setTimeout(resolve, 50))
    await doomed.dispose()
    await doomed.dispose()
    await outcome
    await expect(doomed.generate(options)).rejects.toMatchObject({ code: 'DISPOSED' })
    await expect(doomed.encodePrompt('a')).rejects.toMatchObject({ code: 'DISPOSED' })
  })

  it.each(['stage', 'step'])('does not wait for a stream that is left at a %s', async (type) => {
    const doomed = await load(folder)
    const events = doomed.stream({ ...options, signal: new AbortController().signal })
    for (let event = await events.next(); event.value?.type !== type; event = await events.next());
    await doomed.dispose()
    await expect(events.next()).rejects.toMatchObject({ code: 'DISPOSED' })
    expect(await events.next()).toEqual({ value: undefined, done: true })
  })

  it('does not wait for a stream that nobody asks again, which may still be ended', async () => {
    const doomed = await load(folder)
    const events = doomed.stream(options)
    await events.next()
    await doomed.dispose()
    expect(await events.return()).toEqual({ value: undefined, done: true })
  })

  it('leaves a stream its result', async () => {
    const doomed = await load(folder)
    const types: string[] = []
    for await (const event of doomed.stream(options)) {
      types.push(event.type)
      if (event.type === 'result') await doomed.dispose()
    }
    expect(types.at(-1)).toBe('result')
  })
})

/** Files of a folder that this process holds open. */
const openFiles = (folder: string) =>
  readdirSync('/proc/self/fd')
    .map((fd) => `/proc/self/fd/${fd}`)
    .filter((link) => existsSync(link) && readlinkSync(link).startsWith(folder))

// Elsewhere there is no telling.
describe.runIf(process.platform === 'linux')('the files of weights', () => {
  it('are closed at the end, however many sizes were painted', async () => {
    const { folder } = openGolden('sd2')
    const painter = await load(folder)
    for (let i = 1; i <= 34; i++) {
      await painter.generate({ prompt: '', steps: 1, width: 32, height: 8 * i, output: 'latents' })
    }
    expect(openFiles(folder).length).toBeGreaterThan(0)
    await painter.dispose()
    // By the thread that computes.
    await expect.poll(() => openFiles(folder)).toEqual([])
  })
})
