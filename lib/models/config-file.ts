// Judging the fields of a model's JSON files: typed, supported, harmless or unknown. What they mean is elsewhere.

import * as z from 'zod'
import { TintypeError } from '../errors.ts'
import { show } from '../show.ts'

export function unsupported(file: string, what: string, advice?: string): TintypeError {
  return new TintypeError('UNSUPPORTED_MODEL', `${file}: ${what}`, advice === undefined ? {} : { advice })
}

export function invalid(file: string, what: string): TintypeError {
  return new TintypeError('INVALID_CONFIG', `${file}: ${what}`)
}

/** A whole number from 1 to `most`; the bounds keep a hostile file from asking for terabytes. */
export const count = (most: number) => z.int().min(1).max(most)
/** A number that a norm adds to a variance. */
export const epsilon = z.number().min(0).max(1)
/** A list with an entry for each level: bounded, for each of its entries may be a problem that zod lists. */
export const forEachLevel = <T extends z.ZodType>(entry: T) => z.array(entry).max(8)
/** One number for all levels, or one for each. */
export const oneOrEach = (most: number) =>
  z.union([count(most), forEachLevel(count(most)).min(1)], {
    error: `expected a whole number from 1 to ${most}, or a list with one for each level`,
  })

/** What one kind of config.json may hold. Together the parts name every field that tintype knows. */
export interface ConfigRules<Shape extends z.ZodRawShape> {
  /** Fields that the graph builders use; defaults are those of diffusers or transformers. */
  readonly used: Shape
  /** Fields that change the arithmetic and have values we do not compute: the values we do. */
  readonly fixed: Readonly<Record<string, readonly unknown[]>>
  /** Fields that do not change what the model computes. */
  readonly harmless: readonly string[]
}

/**
 * The used fields of a config, defaults filled in.
 *
 * An unknown field is an error, since it may change the arithmetic, unless its value (null or false) says that it is off.
 */
export function parseConfig<Shape extends z.ZodRawShape>(
  json: unknown,
  file: string,
  rules: ConfigRules<Shape>,
) {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw invalid(file, `expected a JSON object, got ${show(json)}.`)
  }
  for (const [field, value] of Object.entries(json)) {
    const values = Object.hasOwn(rules.fixed, field) ? rules.fixed[field] : undefined
    if (values !== undefined) {
      if (values.some((supported) => matches(value, supported))) continue
      throw unsupported(
        file,
        `${field} is ${show(value)}; tintype supports ${values.map(show).join(' or ')}.`,
      )
    }
    const known = field.startsWith('_') || Object.hasOwn(rules.used, field) || rules.harmless.includes(field)
    if (!known && value !== null && value !== false) {
      throw unsupported(
        file,
        `the field ${show(field)} (${show(value)}) is unknown and may change what the model computes.`,
      )
    }
  }
  const parsed = z.object(rules.used).safeParse(json)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.map(String).join('.')}: ${message}`)
  throw invalid(file, `${problems.join('; ')}.`)
}

const isEmpty = (value: unknown) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0

/** Equal to a supported value, which is no list; a list with one value for each level matches when all of them do. */
function matches(value: unknown, supported: unknown): boolean {
  if (Array.isArray(value) && value.length > 0) return value.every((item) => item === supported)
  return value === supported || (isEmpty(value) && isEmpty(supported))
}

/** `_class_name` says which class wrote the file: any other than `expected` is another architecture. */
export function checkClass(json: unknown, file: string, expected: string) {
  const name =
    typeof json === 'object' && json !== null && '_class_name' in json ? json._class_name : undefined
  if (name !== undefined && name !== expected) {
    throw unsupported(file, `this is a ${show(name)}; tintype supports ${expected}.`)
  }
}

export function checkHeads(
  file: string,
  { field, heads, channels }: { field: string; heads: number; channels: number },
) {
  if (channels % heads !== 0)
    throw invalid(file, `${field}: ${channels} channels do not divide into ${heads} heads.`)
}

/** Group norm splits the channels of every level into equal groups. */
export function checkGroups(file: string, channels: readonly number[], groups: number) {
  const uneven = channels.find((width) => width % groups !== 0)
  if (uneven !== undefined) {
    throw invalid(
      file,
      `block_out_channels: ${uneven} channels do not divide into norm_num_groups = ${groups} groups.`,
    )
  }
}

/**
 * Of a component, a residual block and a transformer's block being one each. Stable Diffusion's UNet has 38, that of SDXL 87. The
 * time to plan them goes with their square: two seconds for so many.
 */
export const mostLayers = 256

/** Limits of single fields bound no product of them. */
export function checkDepth(file: string, fields: string, layers: number) {
  if (layers > mostLayers) {
    throw invalid(file, `${fields} ask for ${layers} layers; tintype supports up to ${mostLayers}.`)
  }
}

/** A list with one entry for each level has to be as long as block_out_channels. */
export function checkLength(file: string, field: string, list: readonly unknown[], levels: number) {
  if (list.length !== levels) {
    throw invalid(file, `${field} has ${list.length} entries, block_out_channels has ${levels}.`)
  }
}

export function checkBlockTypes(
  file: string,
  field: string,
  types: readonly string[],
  supported: readonly string[],
) {
  const other = types.find((type) => !supported.includes(type))
  if (other !== undefined) {
    throw unsupported(
      file,
      `${field} has ${show(other)}; tintype supports ${supported.map(show).join(' or ')}.`,
    )
  }
}
