// Paints with the embedded model twice, in a process that has done nothing before; prints how long the second took.
// usage: node picture.mjs STEPS

import { generate } from '../../dist/index.js'

const options = { prompt: 'red apple', seed: 1, steps: Number(process.argv[2]) }
await generate(options)
const begin = performance.now()
await generate(options)
console.log(JSON.stringify({ ms: performance.now() - begin }))
