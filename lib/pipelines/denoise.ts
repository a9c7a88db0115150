// Phase three: the denoising loop. Order and bookkeeping only; the arithmetic is in the graph of a step.

import { elements, type Graph } from '../graph/graph.ts'
import { isHandedOver } from '../graph/handed-over.ts'
import { stepCoefficients } from '../graph/ops/scheduler-step.ts'
import type { StepRow, Trajectory } from '../schedulers/contract.ts'
import type { StepMerging } from './choose-merging.ts'
import { type Arrays, type Constants, constants } from './component.ts'
import { inLanes } from './lanes.ts'
import { type ImageShape, toChannelsLast } from './layout.ts'
import type { Model } from './model.ts'
import { type StepShape, stepGraphs } from './stages.ts'
import type { StepKind } from './step-kinds.ts'

/** Pixels that one run of the UNet takes at once: more pictures gain no speed on a CPU and cost memory. */
const largestBatch = 512 * 512

export interface DenoiseRequest {
  readonly model: Model
  readonly trajectory: Trajectory
  /** (n, h, w, c), scaled for the first step; overwritten step by step. */
  readonly latents: Float32Array
  readonly shape: ImageShape
  /** Embeddings (tokens, width) of each picture's prompt and, with guidance, negative prompt. */
  readonly prompts: readonly Float32Array[]
  readonly negatives: readonly Float32Array[] | undefined
  readonly guidanceScale: number
  /** Predicts for negatives and for prompts in turns, not at once. */
  readonly sequentialGuidance: boolean
  /** What each row of the trajectory computes; guided only where there are negatives. */
  readonly kinds: readonly StepKind[]
  readonly merging?: StepMerging | undefined
  readonly threshold: StepShape['threshold']
  /** Unit noise (n, c, h, w) for a step of a stochastic sampler. */
  readonly drawNoise: () => Float32Array
  readonly wantClean: boolean
  readonly signal?: AbortSignal | undefined
}

export interface Step {
  /** Counted from 0. */
  readonly index: number
  readonly row: StepRow
  /** (n, h, w, c): what the model takes the finished latents to be, where wanted. */
  readonly clean: Float32Array | undefined
}

/** Pictures that go through the UNet together, with what belongs to them. */
interface Batch {
  readonly first: number
  readonly n: number
  /** The device that has them in all steps. */
  readonly lane: number
  /** One for each kind of step, by `nameOf`. */
  readonly programs: ReadonlyMap<string, StepProgram>
  readonly history: Float32Array | undefined
}

/** Steps of one kind, and what other graphs hand them and they hand others, by name. */
interface StepProgram {
  readonly step: StepShape
  /** Of the prompts: the same in all steps. */
  readonly prepared: Constants
  readonly given: Arrays
  readonly kept: Arrays
}

const nameOf = (kind: StepKind) => JSON.stringify(kind)

function concatenate(arrays: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(arrays.reduce((total, array) => total + array.length, 0))
  let offset = 0
  for (const array of arrays) {
    out.set(array, offset)
    offset += array.length
  }
  return out
}

/** Arrays for outputs of a graph that only other graphs of the UNet read, by name. */
const arraysFor = ({ unet }: Model, { outputs, values }: Graph): Arrays =>
  Object.fromEntries(
    outputs
      .filter(({ name }) => isHandedOver(name))
      .map(({ name, value }) => [name, unet.handedOver(elements(values[value]!.shape))]),
  )

/** Computes what depends on the prompts alone. */
async function prepare(
  { model, signal }: DenoiseRequest,
  step: StepShape,
  { inputs, lane }: { readonly inputs: Arrays; readonly lane: number },
): Promise<Arrays> {
  const { before } = stepGraphs(model.configs, step)
  const prepared = arraysFor(model, before)
  await model.unet.run({
    key: `prompts ${JSON.stringify(step)}`,
    graph: () => before,
    inputs,
    outputs: prepared,
    lane,
    signal,
  })
  return prepared
}

/** One program for each kind of step, in the order in which they come: features are kept before they are used. */
async function makePrograms(
  request: DenoiseRequest,
  shape: Omit<StepShape, keyof StepKind>,
  { first, lane }: Pick<Batch, 'first' | 'lane'>,
): Promise<Map<string, StepProgram>> {
  const { model, prompts, negatives } = request
  const own = (texts: readonly Float32Array[] = []) => texts.slice(first, first + shape.n)
  const contextsOf = ({ guided, sequentialGuidance }: StepShape): Arrays => {
    if (!guided) return { context: concatenate(own(prompts)) }
    if (!sequentialGuidance) return { context: concatenate([...own(negatives), ...own(prompts)]) }
    return { 'negative context': concatenate(own(negatives)), context: concatenate(own(prompts)) }
  }
  const programs = new Map<string, StepProgram>()
  /** By whether they are of guided steps. */
  const features = new Map<boolean, Arrays>()
  for (const kind of request.kinds) {
    if (programs.has(nameOf(kind))) continue
    const step = { ...shape, ...kind, sequentialGuidance: kind.guided && request.sequentialGuidance }
    const prepared = constants(await prepare(request, step, { inputs: contextsOf(step), lane }))
    if (kind.features === 'keep')
      features.set(kind.guided, arraysFor(model, stepGraphs(model.configs, step).loop))
    const kept = features.get(kind.guided) ?? {}
    programs.set(nameOf(kind), {
      step,
      prepared,
      given: kind.features === 'reuse' ? kept : {},
      kept: kind.features === 'keep' ? kept : {},
    })
  }
  return programs
}

async function makeBatches(request: DenoiseRequest): Promise<Batch[]> {
  const { model, trajectory, shape } = request
  const pixels = shape.h * shape.w * model.configs.vae.factor ** 2
  const { lanes } = model.unet
  const size = Math.max(1, Math.min(Math.floor(largestBatch / pixels), Math.ceil(shape.n / lanes)))
  const batches: Batch[] = []
  for (let first = 0; first < shape.n; first += size) {
    const n = Math.min(size, shape.n - first)
    const history = trajectory.historyLength * n * shape.h * shape.w * shape.c
    const step = {
      n,
      h: shape.h,
      w: shape.w,
      stochastic: trajectory.stochastic,
      historyLength: trajectory.historyLength,
      threshold: request.threshold,
      wantClean: request.wantClean,
      tokenMerging: request.merging?.share,
    }
    const lane = batches.length % lanes
    batches.push({
      first,
      n,
      lane,
      programs: await makePrograms(request, step, { first, lane }),
      history: history > 0 ? new Float32Array(history) : undefined,
    })
  }
  return batches
}

/** A row in the order that the kernel reads. */
function coefficientsOf({ next, remember, clean }: StepRow, guidance: number): Float32Array {
  const named: Record<(typeof stepCoefficients)[number], number> = {
    guidance,
    latents: next.latents,
    model: next.model,
    noise: next.noise,
    correction: next.correction,
    rememberLatents: remember.latents,
    rememberModel: remember.model,
    rememberCorrection: remember.correction,
    cleanLatents: clean.latents,
    cleanModel: clean.model,
  }
  return Float32Array.from([...stepCoefficients.map((name) => named[name]), ...next.history])
}

/** Yields after each step; `latents` then hold its result. */
export async function* denoise(request: DenoiseRequest): AsyncGenerator<Step, void, void> {
  const { model, trajectory, kinds, latents, shape, guidanceScale, signal } = request
  const picture = shape.c * shape.h * shape.w
  const batches = await makeBatches(request)
  const clean = request.wantClean ? new Float32Array(latents.length) : undefined

  for (const [index, row] of trajectory.rows.entries()) {
    const coefficients = coefficientsOf(row, guidanceScale)
    const noise = trajectory.stochastic ? toChannelsLast(request.drawNoise(), shape) : undefined
    const corners = request.merging?.drawCorners()
    const kind = nameOf(kinds[index]!)
    const run = ({ first, n, lane, programs, history }: Batch) => {
      const { step, prepared, given, kept } = programs.get(kind)!
      const own = (array: Float32Array) => array.subarray(first * picture, (first + n) * picture)
      return model.unet.run({
        key: `step ${JSON.stringify(step)}`,
        graph: () => stepGraphs(model.configs, step).loop,
        inputs: {
          latents: own(latents),
          timestep: Float32Array.of(row.timestep),
          inputScale: Float32Array.of(row.inputScale),
          coefficients,
          ...given,
          ...(history && { history }),
          ...(noise && { noise: own(noise) }),
          ...(corners && { corners }),
        },
        constants: prepared,
        outputs: {
          latents: own(latents),
          ...kept,
          ...(history && { history }),
          ...(clean && { clean: own(clean) }),
        },
        lane,
        signal,
      })
    }
    // Each device takes its own in turns, all devices at once.
    await inLanes(model.unet.lanes, async (lane) => {
      for (const batch of batches.filter((one) => one.lane === lane)) await run(batch)
    })
    yield { index, row, clean }
  }
}
