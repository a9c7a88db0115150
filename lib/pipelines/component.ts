// One part of a model folder (text encoder, UNet, autoencoder): its weights, and programs over them by shape.

import { basename } from 'node:path'
import { TintypeError } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import { makePlan, type PassOptions } from '../graph/plan.ts'
import {
  compile,
  loadWeights,
  type Program,
  releaseWorkspace,
  requireMemory,
  type WeightSet,
} from '../runtime/program.ts'
import { cpu, elementTypeOf, type Target } from '../runtime/target.ts'
import { openWeights, type WeightRef } from '../weights/source.ts'

/**
 * Programs are cheap to make again; the limit only bounds what a service with ever new sizes keeps. A picture in strips
 * takes some thirty.
 */
const keptPrograms = 64

export interface ComponentOptions {
  readonly variant?: string | undefined
  readonly threads?: number | undefined
  /** No algorithm that rounds differently for speed. */
  readonly exact?: boolean | undefined
  /** The devices that share the work, all of the same kind. Default: the CPU. */
  readonly targets?: readonly Target[] | undefined
}

export type Arrays = Readonly<Record<string, ArrayBufferView>>

/** Arrays that do not change as long as they have this version, which no others have. */
export interface Constants {
  readonly arrays: Arrays
  readonly version: number
}

let versions = 0

export function constants(arrays: Arrays): Constants {
  versions = versions === 2 ** 32 - 1 ? 1 : versions + 1
  return { arrays, version: versions }
}

export interface RunRequest {
  /** Tells shapes apart: the same key, the same graph. */
  readonly key: string
  readonly graph: () => Graph
  readonly inputs: Arrays
  /** Further inputs: what a device has of them already is not copied to it again. */
  readonly constants?: Constants | undefined
  /** Written in place. */
  readonly outputs: Arrays
  /** Which of the devices, counted round: pictures of a generation go to different ones. Default: the first. */
  readonly lane?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** A program and the names of its slots. */
interface Compiled {
  readonly program: Program
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
}

/**
 * Winograd and Strassen, and what they make worth while, are for the CPU: tensor cores are faster than that; so are
 * contractions in place, whose rounds would be launches, and moments of channels. What joins layers and norms and elides concats is
 * for GPUs: the CPU has no launches to save. So is what sums taps: on the CPU Winograd's algorithm saves as much.
 */
export const passesFor = (
  { precision, matrices, largeTiles }: Pick<Target, 'precision' | 'matrices' | 'largeTiles'>,
  exact: boolean,
): PassOptions =>
  precision
    ? {
        ...{
          winograd: false,
          strassen: false,
          normalizeOnLoad: false,
          sumTaps: true,
          elideConcats: true,
          joinLayers: true,
          foldNorms: true,
        },
        precision: elementTypeOf(precision),
      }
    : {
        ...{ winograd: !exact, strassen: !exact, contractInPlace: true, measureChannels: true },
        largeTiles: largeTiles(),
        multiplyInBf16: matrices === 'bf16',
      }

/** A device with the weights on it, and what has been compiled for it. */
interface LoadedDevice {
  readonly target: Target
  readonly weights: WeightSet
  readonly compiled: Map<string, Compiled>
}

function weightsOf(graphs: readonly Graph[]): Map<string, readonly number[]> {
  const values = graphs.flatMap((graph) => graph.values).filter((value) => value.kind === 'weight')
  return new Map(values.map(({ name, shape }) => [name, shape]))
}

export class Component {
  readonly name: string
  /** Bytes of weights in the files. */
  readonly bytes: number
  readonly dtypes: readonly string[]
  readonly #weightIndex: ReadonlyMap<string, number>
  readonly #threads: number | undefined
  readonly #devices: readonly LoadedDevice[]
  readonly #passes: PassOptions

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
    const devices: LoadedDevice[] = []
    try {
      for (const target of options.targets ?? [cpu]) {
        devices.push({ target, weights: await loadWeights(refs, target), compiled: new Map() })
      }
    } catch (error) {
      for (const { weights } of devices) weights.dispose()
      throw error
    }
    return new Component(basename(folder), refs, devices, source, options)
  }

  private constructor(
    name: string,
    refs: readonly WeightRef[],
    devices: readonly LoadedDevice[],
    { bytes, dtypes }: { readonly bytes: number; readonly dtypes: readonly string[] },
    { threads, exact }: ComponentOptions,
  ) {
    this.name = name
    this.bytes = bytes
    this.dtypes = dtypes
    this.#weightIndex = new Map(refs.map((ref, i) => [ref.name, i]))
    this.#threads = threads
    this.#devices = devices
    this.#passes = passesFor(devices[0]!.target, exact === true)
  }

  /** How many devices share the work. */
  get lanes(): number {
    return this.#devices.length
  }

  get isOnGpu(): boolean {
    return this.#devices[0]!.target.precision !== undefined
  }

  /** Runs a graph over the weights; its plan is made once for each key. */
  async run({ key, graph, inputs, constants: same, outputs, lane = 0, signal }: RunRequest): Promise<void> {
    const device = this.#devices[lane % this.#devices.length]!
    const { program, inputNames, outputNames } = this.#compile(device, key, graph)
    await program.run({
      inputs: inputNames.map((name) => inputs[name] ?? same!.arrays[name]!),
      versions: inputNames.map((name) => (name in inputs ? 0 : same!.version)),
      outputs: outputNames.map((name) => outputs[name]!),
      ...(signal && { signal }),
    })
  }

  /**
   * An array for an output that only another graph of this component reads: as wide as what the device computes in.
   *
   * @throws TintypeError `OUT_OF_MEMORY`
   */
  handedOver(count: number): Float32Array | Uint16Array {
    this.requireMemory(count * (this.isOnGpu ? 2 : 4))
    return this.untouched(count)
  }

  /** The same, before there is memory for it: the system hands that out where it is first touched. */
  untouched(count: number): Float32Array | Uint16Array {
    return this.isOnGpu ? new Uint16Array(count) : new Float32Array(count)
  }

  /** @throws TintypeError `OUT_OF_MEMORY` where the process has less memory, naming the purpose */
  requireMemory(bytes: number, purpose = 'Keeping features'): void {
    requireMemory(bytes, purpose, this.#devices[0]!.target)
  }

  /** What the activations of a graph take: the memory beside its inputs, outputs and weights. */
  arenaBytes(graph: Graph): number {
    return makePlan(graph, (name) => this.#indexOf(name), this.#passes).arenaBytes
  }

  /** Gives back what the largest program so far worked in: whoever runs next takes what it needs. */
  releaseWorkspace(): void {
    for (const { target } of this.#devices) releaseWorkspace(target)
  }

  dispose(): void {
    for (const { compiled, weights } of this.#devices) {
      for (const { program } of compiled.values()) program.dispose()
      compiled.clear()
      weights.dispose()
    }
  }

  #compile(device: LoadedDevice, key: string, graph: () => Graph): Compiled {
    const programs = device.compiled
    const known = programs.get(key)
    // Last used goes last, so that the first is the one to forget.
    if (known) programs.delete(key)
    const compiled = known ?? this.#make(device, graph())
    programs.set(key, compiled)
    if (programs.size > keptPrograms) {
      const [oldest, { program }] = programs.entries().next().value!
      programs.delete(oldest)
      // It holds on to the weights, and somebody may be running it.
      void program.retire()
    }
    return compiled
  }

  #make({ target, weights }: LoadedDevice, traced: Graph): Compiled {
    const { graph, words } = makePlan(traced, (name) => this.#indexOf(name), this.#passes)
    const program = compile(words, weights, {
      target,
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
