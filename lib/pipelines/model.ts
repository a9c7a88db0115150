// A model folder in memory: what every generation with it shares.

import { existsSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import * as z from 'zod'
import { TintypeError } from '../errors.ts'
import { readJson } from '../json-file.ts'
import { type ModelConfigs, readModelConfigs } from '../models/configs.ts'
import { cpu, type Precision } from '../runtime/target.ts'
import { parseSchedulerConfig } from '../schedulers/config.ts'
import type { SchedulerConfig } from '../schedulers/contract.ts'
import { shorten } from '../show.ts'
import { ClipTokenizer } from '../tokenizer/clip.ts'
import type { VaeTiling } from './choose-tiling.ts'
import { Component, type ComponentOptions } from './component.ts'
import type { ModelDefaults } from './options.ts'
import { decodeGraph, encodeGraph, stepGraph, textGraph } from './stages.ts'

export interface Model {
  readonly name: string
  readonly folder: string
  readonly configs: ModelConfigs
  readonly scheduler: SchedulerConfig
  readonly tokenizer: ClipTokenizer
  readonly textEncoder: Component
  readonly unet: Component
  readonly vae: Component
  readonly defaults: ModelDefaults
  /** Those that it was trained with, where these are not all. */
  readonly knownTokens: ReadonlySet<number> | undefined
  readonly vaeTiling: VaeTiling
  /** Undefined for float32 over weights as they are stored. */
  readonly precision: Precision | undefined
}

export interface ModelOptions extends ComponentOptions {
  readonly vaeTiling?: VaeTiling | undefined
}

/** Side lengths that a UNet without `sample_size` gets: those of Stable Diffusion 1.x. */
const usualLatents = { height: 64, width: 64 }

const mostKnownTokens = 2 ** 18

/** Small enough for any model: only the names and shapes of its weights are wanted. */
const surveyed = { n: 1, h: 8, w: 8 }
const surveyedStep = {
  ...surveyed,
  guided: false,
  stochastic: false,
  historyLength: 0,
  threshold: undefined,
  wantClean: false,
}

/**
 * tintype.json, a file that a model folder may have: options that suit the model better than the usual ones, and the tokens that
 * it was trained with, where these are not all.
 */
const ownSettings = z.strictObject({
  guidanceScale: z.number().min(0).max(1000).default(7.5),
  steps: z.int().min(1).max(1000).default(20),
  knownTokens: z.array(z.int().min(0)).max(mostKnownTokens).optional(),
})

async function readOwnSettings(folder: string): Promise<z.infer<typeof ownSettings>> {
  const file = join(folder, 'tintype.json')
  const parsed = ownSettings.safeParse(existsSync(file) ? await readJson(file) : {})
  if (parsed.success) return parsed.data
  const { path, message } = parsed.error.issues[0]!
  throw new TintypeError('INVALID_CONFIG', `${file}: ${[...path, shorten(message, 200)].join(': ')}.`)
}

const sizeOf = ({ unet, vae: { factor } }: ModelConfigs) => {
  const { width, height } = unet.sampleSize ?? usualLatents
  return { width: width * factor, height: height * factor, factor }
}

/** diffusers pads and cuts prompts to the tokenizer's length; what is beyond the text encoder's is none. */
async function readTokenizer(folder: string, configs: ModelConfigs) {
  const { textEncoder } = configs
  const tokenizer = await ClipTokenizer.load(join(folder, 'tokenizer'), textEncoder.maxPositions)
  return { tokenizer, configs: { ...configs, textEncoder: { ...textEncoder, tokens: tokenizer.maxLength } } }
}

/** Reads everything of a model folder but the weights themselves. */
export async function openModel(folder: string, options: ModelOptions): Promise<Model> {
  const read = await readModelConfigs(folder)
  const schedulerFile = join(folder, 'scheduler', 'scheduler_config.json')
  const scheduler = parseSchedulerConfig(await readJson(schedulerFile), schedulerFile)
  const { tokenizer, configs } = await readTokenizer(folder, read)
  const { knownTokens, ...own } = await readOwnSettings(folder)
  const { precision, matrices } = options.targets?.[0] ?? cpu
  const opened: Component[] = []
  const open = async (part: string, ...graphs: Parameters<typeof Component.open>[1]) => {
    const component = await Component.open(join(folder, part), graphs, options)
    opened.push(component)
    return component
  }
  try {
    return {
      name: basename(resolve(folder)),
      folder: resolve(folder),
      configs,
      scheduler,
      tokenizer,
      textEncoder: await open('text_encoder', textGraph(configs, 1)),
      unet: await open('unet', stepGraph(configs, surveyedStep)),
      vae: await open('vae', decodeGraph(configs, surveyed), encodeGraph(configs, surveyed)),
      defaults: { ...sizeOf(configs), ...own },
      knownTokens: knownTokens && new Set(knownTokens),
      vaeTiling: options.vaeTiling ?? 'auto',
      precision: precision ?? (matrices === 'stored' ? undefined : matrices),
    }
  } catch (error) {
    for (const component of opened) component.dispose()
    throw error
  }
}
