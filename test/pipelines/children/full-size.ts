// Runs one step of a full-size model and aborts three others; prints what it took as JSON.
// usage: tsx full-size.ts FOLDER

import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { load, TintypeError } from '../../../lib/index.ts'

/** Peak resident memory of this process, in bytes. */
const peak = () => 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1])

const options = { prompt: 'a lighthouse', seed: 1, width: 512, height: 512 }
await using pipeline = await load(process.argv[2]!)

const delay = monitorEventLoopDelay({ resolution: 2 })
delay.enable()
const { timings, latents } = await pipeline.generate({ ...options, steps: 1 })
delay.disable()

/** Milliseconds from the abort, some time into a stage, to the rejection. */
async function abortIn(wanted: string): Promise<number> {
  const controller = new AbortController()
  let abortedAt = 0
  const abort = () => {
    abortedAt = performance.now()
    controller.abort()
  }
  try {
    await pipeline.generate({
      ...options,
      steps: 1,
      signal: controller.signal,
      onProgress: (event) => {
        if (event.type === 'stage' && event.stage === wanted) setTimeout(abort, 100)
      },
    })
  } catch (error) {
    if (error instanceof TintypeError && error.code === 'ABORTED') return performance.now() - abortedAt
    throw error
  }
  return Number.POSITIVE_INFINITY
}

const aborts = [await abortIn('text'), await abortIn('denoise'), await abortIn('decode')]
console.log(
  JSON.stringify({
    peakBytes: peak(),
    weightBytes: pipeline.info.components.reduce((total, { bytes }) => total + bytes, 0),
    delayP99: delay.percentile(99) / 1e6,
    finite: latents.every(Number.isFinite),
    aborts,
    timings,
  }),
)
