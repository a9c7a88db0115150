// A worker, or a process when started with a file: loads the addon, compiles one plan and runs it, again and again if
// `rounds` says so. What `ending` names happens while a run is under way.
import { readFileSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { loadAddon } from './addon.mjs'

const job = workerData ?? JSON.parse(readFileSync(process.argv[2], 'utf8'))
const { words, weights, inputs, outputs, rounds = 1 } = job
const addon = loadAddon()
const set = addon.loadWeights(weights)
const program = addon.compile(Uint32Array.from(words).buffer, set, {})
const views = (sizes) => sizes.map((bytes) => new Uint8Array(bytes))

for (let round = 0; round < rounds; round++) {
  const { promise } = program.run(views(inputs), views(outputs))
  parentPort?.postMessage('running')
  if (job.ending === 'exit') setTimeout(() => process.exit(7), 50)
  if (job.ending === 'throw')
    setTimeout(() => {
      throw new Error('on purpose')
    }, 50)
  if (job.ending === 'leave') promise.then(() => console.log('done'))
  else await promise
}
if (job.ending === 'dispose') {
  program.dispose()
  set.dispose()
}
parentPort?.postMessage('done')
