// Loads, runs and lets go of a program many times: node --expose-gc memory.mjs job.json. Prints the resident set size
// after a warm-up and at the end.
import { readFileSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { loadAddon } from './addon.mjs'

const { words, weights, inputs, outputs, how } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const addon = loadAddon()
const usesArena = how === 'arena' || how === 'release'
const plan = Uint32Array.from(words).buffer
const views = (sizes) => sizes.map((bytes) => new Uint8Array(bytes))
const [x, y] = [views(inputs), views(outputs)]

/** Programs that live on, and still need no memory until they run again. */
const kept = []

async function round() {
  const set = weights.length > 0 ? addon.loadWeights(weights) : null
  const program = addon.compile(plan, set, {})
  if (how === 'fail') {
    const { promise, cancel } = program.run(x, y)
    cancel()
    await promise.catch(() => {})
    try {
      program.run(x, [])
    } catch {}
  } else {
    await program.run(x, y).promise
    if (usesArena && process.memoryUsage.rss() < 2 ** 28) throw new Error('the arena was not used')
  }
  if (how === 'collect') return
  if (how === 'release') {
    addon.releaseWorkspace({})
    kept.push(program)
    return
  }
  program.dispose()
  set?.dispose()
}

async function rounds(count) {
  for (let i = 0; i < count; i++) await round()
  // Finalizers run when the loop turns; the workspace goes on the executor's thread.
  for (let i = 0; i < 20; i++) {
    globalThis.gc()
    await turn()
  }
  return process.memoryUsage.rss()
}

const rssBefore = await rounds(usesArena ? 0 : 20)
const rssAfter = await rounds(usesArena ? 5 : 120)
console.log(JSON.stringify({ rssBefore, rssAfter }))
