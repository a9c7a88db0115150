// Weights with a norm in them, as plans ask the device for them: which uses of a tensor are told apart, and what they take.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it as check, describe, expect, inject } from 'vitest'
import { elements } from '../../lib/graph/graph.ts'
import { interpret } from '../../lib/graph/interpret.ts'
import { makePlan } from '../../lib/graph/plan.ts'
import { compile, loadWeights, type WeightLocation } from '../../lib/runtime/program.ts'
import { targetOf } from '../../lib/runtime/target.ts'
import { noise } from '../../lib/selftest/op-case.ts'
import { layerNorm, linear } from '../../lib/tensor/functional.ts'
import { Trace } from '../../lib/tensor/trace.ts'
import { architectures } from './build.ts'
import { addGpu } from './player.ts'

const missing = inject('ptxMissing') || (architectures.includes(80) ? '' : 'sm_80 was not built')
const it = check.skipIf(missing)

const [m, c] = [5, 64]

/** A layer over each of these norms of x, or over x, all with the same weight. */
function layersOver(norms: readonly (string | undefined)[]) {
  const trace = new Trace()
  const x = trace.input('x', 'f32', [m, c])
  const w = trace.weight('w', [c, c])
  for (const [i, norm] of norms.entries()) {
    const [gamma, beta] = ['gamma', 'beta'].map((name) => norm && trace.weight(`${norm} ${name}`, [c]))
    const rows = gamma && beta ? layerNorm(x, { gamma, beta, eps: 1e-5 }) : x
    trace.output(`${i}`, linear(rows, w))
  }
  return trace.graph()
}

const relativeError = (y: Float32Array, truth: ArrayLike<number>) => {
  const square = (f: (i: number) => number) => y.reduce((sum, _, i) => sum + f(i) ** 2, 0)
  return Math.sqrt(square((i) => y[i]! - truth[i]!) / square((i) => truth[i]!))
}

async function run(norms: readonly (string | undefined)[], x = noise(m * c, 9)) {
  const graph = layersOver(norms)
  const names = [...new Set(graph.values.flatMap(({ kind, name }) => (kind === 'weight' ? [name] : [])))]
  const folder = mkdtempSync(join(tmpdir(), 'tintype-folded-'))
  const shapeOf = (name: string) => graph.values.find((value) => value.name === name)!.shape
  const valuesOf = (name: string) => noise(elements(shapeOf(name)), name.length)
  const locations = names.map((name, i): WeightLocation => {
    const path = join(folder, `${i}`)
    writeFileSync(path, new Uint8Array(valuesOf(name).buffer))
    return { path, offset: 0, dtype: 'f32', shape: shapeOf(name) }
  })
  const target = targetOf({ device: `cuda:${addGpu({ architecture: 80 })}` })
  const { words, graph: planned } = makePlan(graph, (name) => names.indexOf(name), {
    ...{ foldNorms: true, winograd: false, normalizeOnLoad: false },
    precision: 'f16',
  })
  const weights = await loadWeights(locations, target)
  const program = compile(words, weights, { target })
  const outputs = norms.map(() => new Float32Array(m * c))
  await program.run({ inputs: [x], outputs })
  const { resident } = weights.bytes
  await program.dispose()
  weights.dispose()
  rmSync(folder, { recursive: true })
  const truth = interpret(graph, { inputs: { x }, weight: valuesOf })
  const errors = outputs.map((y, i) => relativeError(y, truth[i]!))
  return { errors, resident, ops: planned.nodes.map(({ op }) => op) }
}

/** Of the matrix in half precision; of the vectors of a norm; of what a norm leaves behind the matrix. */
const [matrix, vectors, behind] = [2 * c * c, 2 * 4 * c, 4 * (2 * c + 1)]

describe('a weight with a norm in front of it', () => {
  it('is on the device once, with the norm in it', async () => {
    const { errors, resident, ops } = await run(['a'])
    expect(ops).not.toContain('layerNorm')
    expect(Math.max(...errors)).toBeLessThan(1e-3)
    expect(resident).toBe(matrix + behind + vectors)
  })

  it('is there for each norm, and without one, where it is used so', async () => {
    const { errors, resident, ops } = await run(['a', 'bb', undefined, 'a'])
    expect(ops).not.toContain('layerNorm')
    expect(Math.max(...errors)).toBeLessThan(1e-3)
    expect(resident).toBe(3 * matrix + 2 * (behind + vectors))
  })

  it('takes deviations around a number of the row, not around 0', async () => {
    // Numbers that fp16 holds, with a mean of 390 deviations.
    const far = noise(m * c, 9).map((value) => Math.round(value * 8) / 2 + 900)
    const { errors } = await run(['a'], far)
    expect(Math.max(...errors)).toBeLessThan(1e-3)
  })
})
