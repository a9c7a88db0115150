// Loads a model and runs its first op, in a process that has done nothing before; prints how long each took.
// usage: node load.mjs MODEL

import { makePlan } from '../../lib/graph/plan.ts'
import { openModel } from '../../lib/pipelines/model.ts'
import { textGraph } from '../../lib/pipelines/stages.ts'
import { embedding } from '../../lib/tensor/functional.ts'
import { Trace } from '../../lib/tensor/trace.ts'

/** The text encoder's first op alone: tokens to embeddings. */
function firstOp({ vocabSize, maxPositions, hiddenSize }) {
  const trace = new Trace()
  const weight = (name, ...shape) => trace.weight(`text_model.embeddings.${name}.weight`, shape)
  const ids = trace.input('ids', 'i32', [1, maxPositions])
  const tokens = weight('token_embedding', vocabSize, hiddenSize)
  const positions = weight('position_embedding', maxPositions, hiddenSize)
  trace.output('embeddings', embedding(ids, tokens, positions))
  return trace.graph()
}

const begin = performance.now()
// What load() does before it gives a Pipeline.
const { configs, textEncoder } = await openModel(process.argv[2], {})
const loadMs = performance.now() - begin
const { maxPositions, hiddenSize } = configs.textEncoder
// A generation plans the whole text encoder before its first op runs.
makePlan(textGraph(configs, 2), () => 0)
await textEncoder.run({
  key: 'first op',
  graph: () => firstOp(configs.textEncoder),
  inputs: { ids: new Int32Array(maxPositions) },
  outputs: { embeddings: new Float32Array(maxPositions * hiddenSize) },
})
console.log(JSON.stringify({ loadMs, firstOpMs: performance.now() - begin }))
