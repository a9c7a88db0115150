// Each optimisation of a plan against the plan without it, on the CPU kernels.

import { describe, expect, it } from 'vitest'
import { elements, type Graph } from '../../lib/graph/graph.ts'
import { makePlan, type PassOptions } from '../../lib/graph/plan.ts'
import { readModelConfigs } from '../../lib/models/configs.ts'
import { stepGraph } from '../../lib/pipelines/stages.ts'
import { compile, loadWeights } from '../../lib/runtime/program.ts'
import { conv2d, geglu, linear } from '../../lib/tensor/functional.ts'
import { Trace } from '../../lib/tensor/trace.ts'
import { openWeights, type WeightRef } from '../../lib/weights/source.ts'
import { openGolden } from '../golden/pipelines.ts'
import { relativeError } from '../golden/tensors.ts'
import { noise, writeWeights } from '../native/plans.ts'
import { largeBlock } from '../unit/graph/large-block.ts'

/** What runs one step of a model, with the options of its plan. */
async function stepOf(folder: string) {
  const graph = stepGraph(await readModelConfigs(folder), {
    ...{ n: 2, h: 12, w: 8, guided: true, stochastic: true, historyLength: 1, wantClean: true },
    threshold: { percentile: 0.995, max: 2 },
  })
  const source = await openWeights(`${folder}/unet`)
  for (const { kind, name, shape } of graph.values) if (kind === 'weight') source.take(name, shape)
  const refs = source.finish()
  return (options: PassOptions) => runStep(graph, refs, options)
}

/** All outputs of one step, and the memory that the plan took. */
async function runStep(graph: Graph, refs: readonly WeightRef[], options: PassOptions) {
  const plan = makePlan(graph, (name) => refs.findIndex((ref) => ref.name === name), options)
  const weights = await loadWeights(refs)
  const program = compile(plan.words, weights)
  const array = (id: number, seed: number) => noise(elements(graph.values[id]!.shape), seed)
  const outputs = graph.outputs.map(({ value }) => array(value, 1).fill(0))
  await program.run({ inputs: graph.inputs.map((id, i) => array(id, i + 1)), outputs })
  await program.dispose()
  weights.dispose()
  return {
    outputs,
    arenaBytes: plan.arenaBytes,
    ops: plan.graph.nodes.length,
    pixels: plan.graph.nodes.reduce(
      (sum, { op, dims: { n, ho, wo } }) => sum + (op === 'conv2d' ? n! * ho! * wo! : 0),
      0,
    ),
    names: plan.graph.nodes.map((node) => node.op),
    measured: plan.graph.nodes.filter(({ operands }) => operands.channelMean !== undefined).length,
    algorithms: plan.graph.nodes.map((node) => node.params.algorithm),
  }
}

const run = await stepOf(openGolden('sd2').folder)

describe('a step', () => {
  it('is the same to the bit when no memory is used twice', async () => {
    const [with_, without] = [await run({}), await run({ reuseMemory: false })]
    expect(with_.outputs).toEqual(without.outputs)
    expect(with_.arenaBytes).toBeLessThan(without.arenaBytes / 4)
  })

  it('is the same to the bit when both predictions of guidance are computed from the start', async () => {
    const [with_, without] = [await run({}), await run({ shareCopies: false })]
    expect(with_.outputs).toEqual(without.outputs)
    expect(with_.pixels).toBeLessThan(without.pixels)
  })

  it('is the same to the bit when layers share an op', async () => {
    const [with_, without] = [await run({ joinLayers: true }), await run({})]
    expect(with_.outputs).toEqual(without.outputs)
    expect(with_.names).toContain('projections')
    expect(with_.ops).toBeLessThan(without.ops)
  })

  it('is the same to the bit when norms go into their layers', async () => {
    const [with_, without] = [await run({ foldNorms: true }), await run({})]
    expect(with_.outputs).toEqual(without.outputs)
    expect(with_.names).not.toContain('layerNorm')
    expect(without.names).toContain('layerNorm')
    expect(with_.arenaBytes).toBeLessThanOrEqual(without.arenaBytes)
  })

  it('is the same to the bit when nobody copies two values side by side', async () => {
    // As for GPUs.
    const rest = { winograd: false, strassen: false, normalizeOnLoad: false }
    // Of a model some of whose channels are multiples of 64.
    const run = await stepOf('models/default')
    const [with_, without] = [await run({ ...rest, elideConcats: true }), await run(rest)]
    expect(with_.outputs).toEqual(without.outputs)
    expect(with_.names).toContain('concatLinear')
    expect(with_.names).toContain('concatGroupNorm')
    expect(with_.ops).toBeLessThan(without.ops)
  })

  it('is the same to the bit when taps that meet the same pixel are for a GPU to sum', async () => {
    const rest = { winograd: false, strassen: false, normalizeOnLoad: false }
    const [with_, without] = [await run({ ...rest, sumTaps: true }), await run(rest)]
    expect(with_.outputs).toEqual(without.outputs)
    expect(with_.names).toContain('upsampleConv2d')
    expect(without.names).not.toContain('upsampleConv2d')
  })

  it('is the same to the bit when gates are apart from their layers', async () => {
    const [with_, without] = [await run({}), await run({ fuseGeglu: false })]
    expect(with_.outputs).toEqual(without.outputs)
    expect(with_.names).toContain('linearGeglu')
    expect(without.names).not.toContain('linearGeglu')
  })

  it('is the same to the bit when normalised pictures are kept', async () => {
    const [with_, without] = [await run({}), await run({ normalizeOnLoad: false })]
    expect(with_.outputs).toEqual(without.outputs)
    expect(with_.ops).toBe(without.ops)
    expect(with_.names).toContain('groupFactors')
  })

  it('is the same to rounding when convolutions measure what they make', async () => {
    const [with_, without] = [await run({ measureChannels: true }), await run({})]
    expect(with_.measured).toBeGreaterThan(0)
    expect(without.measured).toBe(0)
    for (const [i, output] of with_.outputs.entries()) {
      expect(relativeError(output, without.outputs[i]!)).toBeLessThan(1e-5)
    }
  })

  it('is the same to rounding without fusion', async () => {
    const [with_, without] = [await run({ winograd: false }), await run({ fuse: false, winograd: false })]
    expect(with_.ops).toBeLessThan(without.ops)
    // Fusion changes where a sum is rounded, and nothing else: well below the error of fp32 itself.
    for (const [i, output] of with_.outputs.entries()) {
      expect(relativeError(output, without.outputs[i]!)).toBeLessThan(1e-5)
    }
  })

  it("is nearly the same with Winograd's convolutions", async () => {
    const [with_, without] = [await run({}), await run({ winograd: false })]
    expect(with_.algorithms).toContain('winograd4')
    expect(without.algorithms).not.toContain('winograd4')
    for (const [i, output] of with_.outputs.entries()) {
      expect(relativeError(output, without.outputs[i]!)).toBeLessThan(5e-5)
    }
  })
})

/** Compiles a graph with some of its optimisations and runs it, over the same noise each time. */
function runnerOf(traced: Graph) {
  const weights = traced.values.filter(({ kind }) => kind === 'weight')
  const locations = writeWeights(
    weights.map(({ shape }, i) => ({ shape, data: noise(elements(shape), i + 7) })),
  )
  const size = (id: number) => elements(traced.values[id]!.shape)
  return async (options: PassOptions) => {
    const plan = makePlan(traced, (name) => weights.findIndex((value) => value.name === name), options)
    using loaded = await loadWeights(locations)
    await using program = compile(plan.words, loaded)
    const inputs = traced.inputs.map((id, i) => noise(size(id), i + 1))
    const outputs = traced.outputs.map(({ value }) => new Float32Array(size(value)))
    await program.run({ inputs, outputs })
    const algorithms = plan.graph.nodes.map(({ params }) => params.algorithm)
    return { outputs, algorithms, arenaBytes: plan.arenaBytes }
  }
}

/** Layers as large as in Stable Diffusion 1.5: the small models above have none that Strassen's algorithm pays for. */
describe('large layers', () => {
  const trace = new Trace()
  const pixels = trace.input('pixels', 'f32', [1, 32, 32, 320])
  const tokens = trace.input('tokens', 'f32', [256, 640])
  trace.output('pointwise', conv2d(pixels, trace.weight('pointwise', [320, 320, 1, 1])))
  const strided = conv2d(pixels, trace.weight('strided', [320, 320, 5, 5]), undefined, {
    ...{ stride: 2, padding: [2, 2, 2, 2] },
  })
  trace.output('strided', strided)
  trace.output('gated', geglu(linear(tokens, trace.weight('gated', [2560, 640]))))
  trace.output('plain', linear(tokens, trace.weight('plain', [640, 640])))
  const layers = trace.graph()
  const runLayers = runnerOf(layers)

  it("are nearly the same by Strassen's algorithm", async () => {
    const [with_, without] = [await runLayers({}), await runLayers({ strassen: false })]
    expect(with_.algorithms).toEqual(['strassen', 'strassen', 'strassen', 'strassen'])
    expect(without.algorithms).toEqual(['direct', 'direct', 'direct', 'direct'])
    for (const [i, output] of with_.outputs.entries()) {
      expect(relativeError(output, without.outputs[i]!)).toBeLessThan(5e-6)
    }
  })
})

/** A map that larger tiles of Winograd's algorithm fill: those of the models above are too small for them. */
describe('a convolution of larger tiles', () => {
  const trace = new Trace()
  const pixels = trace.input('pixels', 'f32', [1, 24, 24, 96])
  const weight = trace.weight('weight', [96, 96, 3, 3])
  trace.output('y', conv2d(pixels, weight, undefined, { padding: [1, 1, 1, 1] }))
  const runLayer = runnerOf(trace.graph())

  it('is nearly the same as without them', async () => {
    const [with_, without] = [await runLayer({ largeTiles: true }), await runLayer({ winograd: false })]
    expect(with_.algorithms).toEqual(['winograd6'])
    expect(without.algorithms).toEqual(['direct'])
    expect(relativeError(with_.outputs[0]!, without.outputs[0]!)).toBeLessThan(1e-5)
  })
})

/** A residual block whose shortcut is large enough to be worth contracting in place, too large for the models above. */
describe('a large residual block', () => {
  const block = largeBlock({ side: 1024, channels: 16, out: 8 })
  const runBlock = runnerOf(block)

  it('is the same to the bit where its shortcut takes the memory of its input, and takes less of it', async () => {
    const [with_, without] = [await runBlock({ contractInPlace: true }), await runBlock({})]
    expect(with_.arenaBytes).toBeLessThan(without.arenaBytes)
    expect(
      Buffer.compare(Buffer.from(with_.outputs[0]!.buffer), Buffer.from(without.outputs[0]!.buffer)),
    ).toBe(0)
  })
})
