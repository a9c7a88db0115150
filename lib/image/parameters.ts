// The text in which pictures carry how they were made, as A1111 writes it and most tools read it.

/** What it takes to paint a picture again. */
export interface GenerationParameters {
  readonly prompt: string
  readonly negativePrompt: string
  readonly steps: number
  /** By tintype's name. */
  readonly scheduler: string
  readonly karras: boolean
  readonly guidanceScale: number
  /** Where guidance worked in a part of the steps: shares of the run. */
  readonly guidanceInterval?: readonly [number, number]
  /** Where features were used again: one step in so many computed the whole UNet. */
  readonly cacheInterval?: number
  /** Where tokens were merged: what share of them. */
  readonly tokenMerging?: number
  readonly seed: bigint
  readonly width: number
  readonly height: number
  readonly model: string
  /** Where the CPU rounded the model's matrices to it. */
  readonly precision?: 'int8' | 'bf16'
  /** Of image to image. */
  readonly strength?: number
}

const samplerNames: ReadonlyMap<string, string> = new Map([
  ['ddim', 'DDIM'],
  ['euler', 'Euler'],
  ['euler-ancestral', 'Euler a'],
  ['dpmpp-2m', 'DPM++ 2M'],
])

/** A1111 quotes values, as JSON does, where they would be taken apart otherwise. */
const quote = (value: string) => (/[,:"\n]/.test(value) ? JSON.stringify(value) : value)

/**
 * @example
 * red apple
 * Negative prompt: blurry
 * Steps: 20, Sampler: Euler a, CFG scale: 7.5, Seed: 1, Size: 512x512, Model: default, Version: tintype
 */
export function formatParameters(parameters: GenerationParameters): string {
  const { prompt, negativePrompt, steps, scheduler, karras, guidanceScale, seed, width, height } = parameters
  const sampler = samplerNames.get(scheduler) ?? scheduler
  const settings: [string, string | number | bigint][] = [
    ['Steps', steps],
    ['Sampler', karras ? `${sampler} Karras` : sampler],
    ['CFG scale', guidanceScale],
    ['Seed', seed],
    ['Size', `${width}x${height}`],
    ['Model', parameters.model],
  ]
  const { precision, strength, guidanceInterval, cacheInterval, tokenMerging } = parameters
  if (precision) settings.push(['Precision', precision])
  if (strength !== undefined) settings.push(['Denoising strength', strength])
  if (guidanceInterval) settings.push(['Guidance interval', guidanceInterval.join('-')])
  if (cacheInterval !== undefined) settings.push(['Cache interval', cacheInterval])
  if (tokenMerging !== undefined) settings.push(['Token merging ratio', tokenMerging])
  settings.push(['Version', 'tintype'])
  const lines = [prompt]
  if (negativePrompt !== '') lines.push(`Negative prompt: ${negativePrompt}`)
  lines.push(settings.map(([name, value]) => `${name}: ${quote(String(value))}`).join(', '))
  return lines.join('\n')
}

/** What `parseParameters` finds; a setting that the text lacks is undefined. */
export interface ParsedParameters {
  readonly prompt: string
  readonly negativePrompt: string
  /** All settings by A1111's names: `Steps`, `Sampler`, `CFG scale`, `Seed`, `Size`, ... */
  readonly settings: ReadonlyMap<string, string>
}

/** A name begins with no space: two parts that could both take spaces would try every way to share them. */
const setting = /\s*(\w[\w ]*):\s*("(?:\\.|[^\\"])*"|[^,]*)(?:,|$)/gy

/** No settings are as long; a quoted value of some megabytes would overflow the stack of the pattern. */
const mostSettings = 2 ** 20

function unquote(value: string): string {
  if (!value.startsWith('"')) return value.trim()
  try {
    return String(JSON.parse(value))
  } catch {
    return value
  }
}

/**
 * Reads A1111's text back. Text without settings is all prompt.
 *
 * @example
 * parseParameters('red apple\nSteps: 20, Seed: 1').settings.get('Seed') // '1'
 */
export function parseParameters(text: string): ParsedParameters {
  const lines = text.trim().split('\n')
  const last = lines.at(-1)!
  const pairs = last.length > mostSettings ? [] : [...last.matchAll(setting)]
  // As A1111 does: fewer than three pairs are a prompt that happens to have a colon.
  const isSettings = pairs.length >= 3
  const texts = isSettings ? lines.slice(0, -1) : lines
  const negative = texts.findIndex((line) => line.startsWith('Negative prompt:'))
  const [prompt, rest] = negative < 0 ? [texts, []] : [texts.slice(0, negative), texts.slice(negative)]
  return {
    prompt: prompt.join('\n').trim(),
    negativePrompt: rest.join('\n').replace('Negative prompt:', '').trim(),
    settings: new Map(isSettings ? pairs.map(([, name, value]) => [name!.trim(), unquote(value!)]) : []),
  }
}
