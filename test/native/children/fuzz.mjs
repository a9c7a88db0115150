// Compiles and runs mutated plans: node fuzz.mjs cases.json mutations. Ends with a count, or not at all.
import { readFileSync } from 'node:fs'
import { loadAddon } from './addon.mjs'

const addon = loadAddon()
const cases = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const mutations = Number(process.argv[3])
const largestArena = 2 ** 24

let state = Number(process.env.TINTYPE_FUZZ_SEED ?? 1)
const random = (below) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor((state / 2 ** 32) * below)
}

const change = [
  (words, i) => {
    words[i] = random(2 ** 32)
  },
  (words, i) => {
    words[i] = random(16)
  },
  (words, i) => {
    words[i] += random(5) - 2
  },
  (words, i) => {
    words[i] ^= 1 << random(32)
  },
  (words, i) => {
    words[i] = words[random(words.length)]
  },
  (words, i) => {
    words[i] = 0xffffffff
  },
  (words, i) => {
    words[i] = 0x7fffffff
  },
]

function mutated(original) {
  const words = Uint32Array.from(original)
  for (let times = random(4); times >= 0; times--) {
    change[random(change.length)](words, random(words.length))
  }
  return random(50) === 0 ? words.slice(0, random(words.length + 1)) : words
}

const counts = { refused: 0, ran: 0, failed: 0 }
const sets = cases.map(({ weights }) => (weights.length > 0 ? addon.loadWeights(weights) : null))
for (let i = 0; i < mutations; i++) {
  const which = i % cases.length
  const { words, inputs, outputs } = cases[which]
  // The first round is unchanged: every plan must run as it is.
  const plan = i < cases.length ? Uint32Array.from(words) : mutated(words)
  let program
  try {
    program = addon.compile(plan.buffer, sets[which], { threads: 1 + random(3) })
  } catch (error) {
    if (i < cases.length || error.code !== 'INTERNAL') throw error
    counts.refused++
    continue
  }
  // A large arena is only refused when it is larger than memory, which other tests see to.
  if (plan[2] <= largestArena && plan[3] === 0) {
    try {
      const views = (sizes) => sizes.map((bytes) => new Uint8Array(bytes).map(() => random(256)))
      await program.run(views(inputs), views(outputs)).promise
      counts.ran++
    } catch (error) {
      if (i < cases.length || !['INVALID_ARGUMENT', 'OUT_OF_MEMORY'].includes(error.code)) throw error
      counts.failed++
    }
  }
  program.dispose()
}
console.log(JSON.stringify(counts))
