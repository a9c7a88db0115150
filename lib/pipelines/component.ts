// One part of a model folder (text encoder, UNet, autoencoder): its weights, and programs over them by shape.

import { basename } from 'node:path'
import { TintypeError } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import { makePlan, type PassOptions } from '../graph/plan.ts'
import { compile, loadWeights, type Program, type WeightSet } from '../runtime/program.ts'
import { cpu, type Target } from '../runtime/target.ts'
import { openWeights, type WeightRef } from '../weights/source.ts'

/** Programs are cheap to make again; the limit only bounds what a service with ever new sizes keeps. */
const keptPrograms = 16

export interface ComponentOptions {
  readonly variant?: string | undefined
  readonly threads?: number | undefined
  /** No algorithm that rounds differently for speed. */
  readonly exact?: boolean | undefined
  /** Default: the CPU. */
  readonly target?: Target | undefined
}

export type Arrays = Readonly<Record<string, ArrayBufferView>>

export interface RunRequest {
  /** Tells shapes apart: the same key, the same graph. */
  readonly key: string
  readonly graph: () => Graph
  readonly inputs: Arrays
  /** Written in place. */
  readonly outputs: Arrays
  readonly signal?: AbortSignal | undefined
}

/** A program and the names of its slots. */
interface Compiled {
  readonly program: Program
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
}

/** Winograd, and what it makes worth while, are for the CPU: tensor cores are faster than its transforms. */
const passesFor = ({ precision }: Target, exact: boolean): PassOptions =>
  precision ? { winograd: false, normalizeOnLoad: false, precision } : { winograd: !exact }

function weightsOf(graphs: readonly Graph[]): Map<string, readonly number[]> {
  const values = graphs.flatMap((graph) => graph.values).filter((value) => value.kind === 'weight')
  return new Map(values.map(({ name, shape }) => [name, shape]))
}

export class Component {
  readonly name: string
  /** Bytes of weights in the files. */
  readonly bytes: number
  readonly dtypes: readonly string[]
  readonly #weights: WeightSet
  readonly #weightIndex: ReadonlyMap<string, number>
  readonly #threads: number | undefined
  readonly #target: Target
  readonly #passes: PassOptions
  readonly #compiled = new Map<string, Compiled>()

  /**
   * Finds the weights that `graphs` (one for each use of the component, any shapes) ask for. Nothing is read yet:
   * each weight is when it is first needed.
   *
   * @throws TintypeError `MODEL_NOT_FOUND`, `INVALID_WEIGHTS`
   */
  static async open(folder: string, graphs: readonly Graph[], options: ComponentOptions): Promise<Component> {
    const source = await openWeights(
      folder,
      options.variant === undefined ? {} : { variant: options.variant },
    )
    for (const [name, shape] of weightsOf(graphs)) source.take(name, shape)
    const refs = source.finish()
    return new Component(basename(folder), refs, await loadWeights(refs, options.target), source, options)
  }

  private constructor(
    name: string,
    refs: readonly WeightRef[],
    weights: WeightSet,
    { bytes, dtypes }: { readonly bytes: number; readonly dtypes: readonly string[] },
    { threads, exact, target = cpu }: ComponentOptions,
  ) {
    this.name = name
    this.bytes = bytes
    this.dtypes = dtypes
    this.#weights = weights
    this.#weightIndex = new Map(refs.map((ref, i) => [ref.name, i]))
    this.#threads = threads
    this.#target = target
    this.#passes = passesFor(target, exact === true)
  }

  /** Runs a graph over the weights; its plan is made once for each key. */
  async run({ key, graph, inputs, outputs, signal }: RunRequest): Promise<void> {
    const { program, inputNames, outputNames } = this.#compile(key, graph)
    await program.run({
      inputs: inputNames.map((name) => inputs[name]!),
      outputs: outputNames.map((name) => outputs[name]!),
      ...(signal && { signal }),
    })
  }

  /** What the activations of a graph take: the memory beside its inputs, outputs and weights. */
  arenaBytes(graph: Graph): number {
    return makePlan(graph, (name) => this.#indexOf(name), this.#passes).arenaBytes
  }

  dispose(): void {
    for (const { program } of this.#compiled.values()) program.dispose()
    this.#compiled.clear()
    this.#weights.dispose()
  }

  #compile(key: string, graph: () => Graph): Compiled {
    const known = this.#compiled.get(key)
    // Last used goes last, so that the first is the one to forget.
    if (known) this.#compiled.delete(key)
    const compiled = known ?? this.#make(graph())
    this.#compiled.set(key, compiled)
    if (this.#compiled.size > keptPrograms) {
      // Only forgotten, not disposed of: somebody may be running it. The garbage collector frees it.
      this.#compiled.delete(this.#compiled.keys().next().value!)
    }
    return compiled
  }

  #make(traced: Graph): Compiled {
    const { graph, words } = makePlan(traced, (name) => this.#indexOf(name), this.#passes)
    const program = compile(words, this.#weights, {
      target: this.#target,
      ...(this.#threads !== undefined && { threads: this.#threads }),
    })
    return {
      program,
      inputNames: graph.inputs.map((id) => graph.values[id]!.name),
      outputNames: graph.outputs.map((output) => output.name),
    }
  }

  #indexOf(name: string): number {
    const index = this.#weightIndex.get(name)
    if (index === undefined)
      throw new TintypeError('INTERNAL', `${this.name}: weight ${name} was never taken.`)
    return index
  }
}
