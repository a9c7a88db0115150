// A component's weights as its graph asks for them: each wanted tensor with its shape, and every misfit told in one error.

import { TintypeError } from '../errors.ts'
import { type FolderOptions, readWeightFiles, type WeightFiles } from './folder.ts'
import { canonicalName, isAttentionProjection, isHarmless, shownName } from './names.ts'
import type { StoredDtype, TensorInfo } from './safetensors.ts'

/** Types that the kernels read; they widen to fp32 while packing. */
export type WeightDtype = 'f32' | 'f16' | 'bf16'

const readable: Partial<Record<StoredDtype, WeightDtype>> = { F32: 'f32', F16: 'f16', BF16: 'bf16' }

/** Where native finds a weight: it maps the file, the bytes never enter JavaScript. */
export interface WeightRef {
  /** The name that the graph asked for. */
  readonly name: string
  readonly path: string
  /** In bytes, from the start of the file. */
  readonly offset: number
  readonly dtype: WeightDtype
  readonly shape: readonly number[]
}

const SHOWN_PROBLEMS = 10

/**
 * Opens the weights of a component's folder (`<model>/unet`); nothing but headers is read.
 *
 * @example
 * const weights = await openWeights('model/unet')
 * for (const { name, shape } of graphWeights) weights.take(name, shape)
 * const refs = weights.finish()
 */
export async function openWeights(folder: string, options: FolderOptions = {}): Promise<WeightSource> {
  return new WeightSource(folder, await readWeightFiles(folder, options))
}

export class WeightSource {
  readonly folder: string
  readonly variant: string
  readonly paths: readonly string[]
  /** All that the files hold, in bytes. */
  readonly bytes: number
  readonly dtypes: readonly StoredDtype[]
  readonly #tensors = new Map<string, TensorInfo>()
  readonly #taken = new Map<string, WeightRef>()
  readonly #wanted = new Set<string>()
  readonly #problems: string[] = []

  constructor(folder: string, { variant, paths, tensors }: WeightFiles) {
    this.folder = folder
    this.variant = variant
    this.paths = paths
    const all = [...tensors.values()]
    this.bytes = all.reduce((sum, tensor) => sum + tensor.bytes, 0)
    this.dtypes = [...new Set(all.map((tensor) => tensor.dtype))].sort()
    for (const tensor of all) {
      const name = canonicalName(tensor.name)
      const other = this.#tensors.get(name)
      if (other) this.#problems.push(`${shownName(tensor.name)}: the same weight as ${shownName(other.name)}`)
      else this.#tensors.set(name, tensor)
    }
  }

  /**
   * Asks for a weight, once or often. Undefined when it is missing or does not fit; `finish()` then says so.
   *
   * @param shape as in the file, e.g. (out, in, 3, 3) for a convolution
   */
  take(name: string, shape: readonly number[]): WeightRef | undefined {
    const key = canonicalName(name)
    const known = this.#taken.get(key)
    if (known && sameShape(known.shape, shape)) return known
    this.#wanted.add(key)
    const tensor = this.#tensors.get(key)
    const ref = tensor ? refTo(tensor, name, shape) : `${name}: missing, expected (${shape.join(', ')})`
    if (typeof ref === 'string') {
      this.#problems.push(ref)
      return undefined
    }
    this.#taken.set(key, ref)
    return ref
  }

  /**
   * Everything that was taken, in that order.
   *
   * @throws TintypeError INVALID_WEIGHTS naming all that is missing, misshapen, of another type or left over
   */
  finish(): readonly WeightRef[] {
    const surplus = [...this.#tensors]
      .filter(([key]) => !this.#wanted.has(key) && !isHarmless(key))
      .map(([, { name, dtype, shape }]) => `${shownName(name)}: surplus, ${dtype} (${shape.join(', ')})`)
    const problems = [...new Set(this.#problems), ...surplus]
    if (problems.length === 0) return [...this.#taken.values()]
    const more = problems.length - SHOWN_PROBLEMS
    const lines = problems.slice(0, SHOWN_PROBLEMS).map((problem) => `\n  ${problem}`)
    if (more > 0) lines.push(`\n  and ${more} more`)
    const count = problems.length === 1 ? '1 tensor does' : `${problems.length} tensors do`
    throw new TintypeError(
      'INVALID_WEIGHTS',
      `${this.folder}: ${count} not fit the model that config.json describes:${lines.join('')}`,
      { advice: '\nDo config.json and weights belong to the same model?' },
    )
  }
}

/** The reference, or in words why the tensor does not fit. */
function refTo(tensor: TensorInfo, name: string, shape: readonly number[]): WeightRef | string {
  const alias = tensor.name === name ? '' : ` (in the file: ${tensor.name})`
  const fits =
    sameShape(tensor.shape, shape) || (isAttentionProjection(name) && sameMatrix(tensor.shape, shape))
  if (!fits) return `${name}${alias}: expected (${shape.join(', ')}), got (${tensor.shape.join(', ')})`
  const dtype = readable[tensor.dtype]
  if (!dtype) return `${name}${alias}: expected F32, F16 or BF16, got ${tensor.dtype}`
  return { name, path: tensor.path, offset: tensor.offset, dtype, shape }
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i])
}

/** A matrix (out, in) and a 1x1 convolution (out, in, 1, 1) are the same bytes. */
function sameMatrix(a: readonly number[], b: readonly number[]): boolean {
  const matrix = (shape: readonly number[]) =>
    shape.length === 4 && shape[2] === 1 && shape[3] === 1 ? shape.slice(0, 2) : shape
  return sameShape(matrix(a), matrix(b))
}
