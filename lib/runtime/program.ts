// Plans and weights on the device: what native does, with the types, errors and lifetimes of TypeScript.

import { TintypeError } from '../errors.ts'
import {
  callNative,
  fromNative,
  type NativeProgram,
  type NativeRun,
  type NativeWeightSet,
} from './binding.ts'
import { cpu, type Target } from './target.ts'

/** A tensor in a file: what native reads, when a program first needs it. */
export interface WeightLocation {
  readonly path: string
  /** In bytes, from the start of the file. */
  readonly offset: number
  readonly dtype: 'f32' | 'f16' | 'bf16'
  readonly shape: readonly number[]
}

export interface CompileOptions {
  /**
   * Threads that run the program, 1 to 256, or as many of them as the system allows; by default one for each core. Output bytes
   * do not depend on it.
   */
  readonly threads?: number
  /** Whether runs measure how long each node takes. */
  readonly profile?: boolean
  /** Where it runs: that of the weights. */
  readonly target?: Target
}

export interface RunOptions {
  /** One view for each input slot of the plan, of exactly its size. Not to be changed or transferred during the run. */
  readonly inputs: readonly ArrayBufferView[]
  /**
   * For an input slot a number (1 to 2^32 - 1) that changes when its contents do: where the last run of the program had the same,
   * they are not copied to a GPU again. 0, or none, for what may change at any time.
   */
  readonly versions?: readonly number[]
  /** One for each output slot, written in place. A view may be an input as well. */
  readonly outputs: readonly ArrayBufferView[]
  readonly signal?: AbortSignal
}

const handles = new WeakMap<WeightSet, NativeWeightSet>()

/**
 * The weights of a model: opened, and in memory as far as programs have needed them. All programs that are compiled
 * with a set share what is in memory.
 */
export class WeightSet {
  readonly #native: NativeWeightSet

  /** @internal */
  constructor(native: NativeWeightSet) {
    this.#native = native
    handles.set(this, native)
  }

  /** `stored`: size of all tensors in the files; `resident`: memory that they take now, packed. */
  get bytes(): { readonly stored: number; readonly resident: number } {
    return this.#native.bytes()
  }

  /** Ends the set. Memory and files are released when the last program that uses them is disposed of. */
  dispose(): void {
    this.#native.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/**
 * Opens the files of `locations` and checks that they hold the tensors. Nothing is read but file sizes. What is wrong
 * with the numbers in them (of a matrix for int8) is told by the run that reads them.
 *
 * @throws TintypeError `MODEL_NOT_FOUND` (no such file), `INVALID_WEIGHTS` (a tensor beyond the end of its file)
 */
export async function loadWeights(
  locations: readonly WeightLocation[],
  { addon, device, matrices }: Target = cpu,
): Promise<WeightSet> {
  return new WeightSet(callNative((native) => native.loadWeights(locations, { device, matrices }), addon()))
}

/**
 * Checks a plan (lib/graph/encode.ts) against the weights and makes it runnable.
 *
 * @throws TintypeError `INTERNAL` for a bad plan, `DISPOSED` for weights after their `dispose()`
 * @example
 * await using program = compile(plan, weights)
 * await program.run({ inputs: [ids], outputs: [embeddings], signal })
 */
export function compile(plan: ArrayBuffer, weights: WeightSet | null, options: CompileOptions = {}): Program {
  const { threads, profile = false, target = cpu } = options
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= 256)) {
    throw new TintypeError('INVALID_ARGUMENT', `threads: expected an integer from 1 to 256, got ${threads}.`)
  }
  const handle = weights === null ? null : handles.get(weights)!
  const fast = target.precision === 'fast'
  const native = { device: target.device, profile, fast, ...(threads !== undefined && { threads }) }
  return new Program(callNative((addon) => addon.compile(plan, handle, native), target.addon()))
}

/**
 * Asks before an array of that many bytes is made: the system hands out memory that it does not have, and ends the process when
 * it is touched.
 *
 * @throws TintypeError `OUT_OF_MEMORY` where there is less
 */
export function requireMemory(bytes: number, purpose: string, { addon }: Target = cpu): void {
  callNative((native) => native.requireMemory(bytes, purpose), addon())
}

/**
 * Gives back the memory that runs on a device work in, which it otherwise keeps for as long as a program needs it. The next run
 * takes what it needs; a run in progress ends first.
 */
export function releaseWorkspace({ addon, device }: Target = cpu): void {
  callNative((native) => native.releaseWorkspace({ device }), addon())
}

/** A view that native may write to for as long as it likes, as bytes where it is a DataView. */
function checked(view: ArrayBufferView, name: string): ArrayBufferView {
  if (!ArrayBuffer.isView(view)) {
    throw new TintypeError('INVALID_ARGUMENT', `${name}: expected a typed array, got ${typeof view}.`)
  }
  // Shrinking a resizable buffer takes the memory away under a run. A growable shared one only grows.
  if ((view.buffer as { readonly resizable?: boolean }).resizable) {
    throw new TintypeError('INVALID_ARGUMENT', `${name}: a resizable ArrayBuffer cannot be used.`)
  }
  return view instanceof DataView ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength) : view
}

/** A compiled plan. Runs of all programs take turns; several may be asked for at once. */
export class Program {
  readonly #native: NativeProgram
  readonly #pending = new Set<Promise<unknown>>()

  /** @internal */
  constructor(native: NativeProgram) {
    this.#native = native
  }

  /**
   * Runs the plan off the event loop.
   *
   * @returns seconds that each node took, where the program was compiled with `profile`
   * @throws TintypeError `ABORTED` (within tens of milliseconds of the signal; outputs are then undefined),
   *   `DISPOSED`, `INVALID_ARGUMENT` (number, size or alignment of views), `OUT_OF_MEMORY`, `INVALID_WEIGHTS` or `IO`
   *   (a file was truncated or cannot be read, or a matrix for int8 has values that are not finite)
   */
  async run({ inputs, outputs, versions = [], signal }: RunOptions): Promise<Float64Array | undefined> {
    throwIfAborted(signal)
    const views = [inputs, outputs].map((list, i) =>
      list.map((view, slot) => checked(view, `${i === 0 ? 'input' : 'output'} ${slot}`)),
    )
    const { promise, cancel } = this.#start(views[0]!, views[1]!, versions)
    this.#pending.add(promise)
    signal?.addEventListener('abort', cancel, { once: true })
    try {
      return await promise
    } catch (error) {
      throw signal?.aborted ? aborted(signal) : fromNative(error)
    } finally {
      signal?.removeEventListener('abort', cancel)
      this.#pending.delete(promise)
    }
  }

  #start(
    inputs: readonly ArrayBufferView[],
    outputs: readonly ArrayBufferView[],
    versions: readonly number[],
  ): NativeRun {
    try {
      return this.#native.run(inputs, outputs, versions)
    } catch (error) {
      throw fromNative(error)
    }
  }

  /**
   * Ends the program: pending runs are cancelled and reject with `DISPOSED`. Resolves when the last of them has ended;
   * disposing again does nothing.
   */
  async dispose(): Promise<void> {
    this.#native.dispose()
    await Promise.allSettled(this.#pending)
  }

  /** Ends the program after the runs that are pending, which it lets finish. */
  async retire(): Promise<void> {
    await Promise.allSettled(this.#pending)
    await this.dispose()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose()
  }
}

/** @throws TintypeError `ABORTED` */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted(signal)
}

function aborted(signal: AbortSignal): TintypeError {
  return new TintypeError('ABORTED', 'The run was aborted.', { cause: signal.reason })
}
