// Compiles the plan of a job, runs it with no more address space than the process has already and `room` bytes, and prints
// what came of it: node limited.mjs job.json. Linux only.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { loadAddon } from './addon.mjs'

const { words, inputs, outputs, threads, room } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const program = loadAddon().compile(Uint32Array.from(words).buffer, null, { threads })
const x = inputs.map((count) => new Float32Array(count).fill(1.5))
const y = outputs.map((count) => new Float32Array(count))

const [, kib] = /VmSize:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))
spawnSync('prlimit', ['--pid', process.pid, `--as=${kib * 1024 + room}`])
const before = readdirSync('/proc/self/task').length
try {
  await program.run(x, y, []).promise
  const begun = readdirSync('/proc/self/task').length - before
  console.log(JSON.stringify({ begun, outputs: y.map((view) => [...new Set(view)]) }))
} catch ({ code, message }) {
  console.log(JSON.stringify({ code, message }))
}
