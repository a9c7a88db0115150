// model_index.json: which pipeline a folder holds, and whether its parts are the ones that tintype has.

import { shorten, show } from '../show.ts'
import { invalid, unsupported } from './config-file.ts'

export interface ModelIndex {
  /** The pipeline class that wrote the folder. */
  readonly className: string
  /** The scheduler's class, e.g. `DDIMScheduler`. */
  readonly scheduler: string
  /** The folder names a safety checker. tintype has none and does not run it. */
  readonly safetyChecker: boolean
}

/** Pipelines whose parts and arithmetic are those of plain Stable Diffusion. */
const pipelines = ['StableDiffusionPipeline', 'StableDiffusionImg2ImgPipeline']

/** What people most often have instead, told in their words. */
const otherModels: readonly (readonly [prefix: string, name: string])[] = [
  ['StableDiffusionXL', 'Stable Diffusion XL'],
  ['StableDiffusion3', 'Stable Diffusion 3'],
  ['StableDiffusionInpaint', 'a Stable Diffusion inpainting model'],
  ['StableDiffusionInstructPix2Pix', 'InstructPix2Pix'],
  ['StableDiffusionUpscale', 'the Stable Diffusion upscaler'],
  ['StableDiffusionLatentUpscale', 'the Stable Diffusion latent upscaler'],
  ['StableDiffusionControlNet', 'a ControlNet pipeline'],
  ['StableVideoDiffusion', 'Stable Video Diffusion'],
  ['StableCascade', 'Stable Cascade'],
  ['LatentConsistencyModel', 'a latent consistency model'],
  ['Flux', 'FLUX'],
  ['PixArt', 'PixArt'],
  ['QwenImage', 'Qwen-Image'],
  ['Sana', 'Sana'],
  ['Wan', 'Wan video'],
  ['Kandinsky', 'Kandinsky'],
  ['IF', 'DeepFloyd IF'],
]

const parts: Readonly<Record<string, readonly string[]>> = {
  text_encoder: ['CLIPTextModel'],
  tokenizer: ['CLIPTokenizer', 'CLIPTokenizerFast'],
  unet: ['UNet2DConditionModel'],
  vae: ['AutoencoderKL'],
}

/** Parts of a Stable Diffusion folder that do not take part in making the picture. */
const unusedParts = ['safety_checker', 'feature_extractor', 'image_encoder']

/** @param file the path that error messages name */
export function parseModelIndex(json: unknown, file: string): ModelIndex {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw invalid(file, `expected a JSON object, got ${show(json)}.`)
  }
  const fields = new Map<string, unknown>(Object.entries(json))
  const className = fields.get('_class_name')
  if (typeof className !== 'string')
    throw invalid(file, `_class_name: expected a string, got ${show(className)}.`)
  if (!pipelines.includes(className)) {
    const other = otherModels.find(([prefix]) => className.startsWith(prefix))
    const shown = shorten(className)
    const name = other ? `${other[1]} (${shown})` : `a ${shown}`
    throw unsupported(
      file,
      `this is ${name}; tintype supports Stable Diffusion 1.x and 2.x (${pipelines[0]}).`,
    )
  }
  for (const [part, classes] of Object.entries(parts)) {
    const name = partClass(file, part, fields.get(part))
    if (name === undefined) throw invalid(file, `${part}: the pipeline has none.`)
    if (!classes.includes(name)) {
      throw unsupported(file, `${part} is a ${shorten(name)}; tintype supports ${classes.join(' or ')}.`)
    }
  }
  const scheduler = partClass(file, 'scheduler', fields.get('scheduler'))
  if (scheduler === undefined) throw invalid(file, 'scheduler: the pipeline has none.')
  for (const [part, value] of fields) {
    const known = part === 'scheduler' || Object.hasOwn(parts, part) || unusedParts.includes(part)
    if (known || !Array.isArray(value)) continue
    const name = partClass(file, part, value)
    if (name !== undefined)
      throw unsupported(
        file,
        `it has a part that tintype does not know: ${shorten(part)} (${shorten(name)}).`,
      )
  }
  const safetyChecker = partClass(file, 'safety_checker', fields.get('safety_checker')) !== undefined
  return { className, scheduler, safetyChecker }
}

/** A part is `[library, class]`, or `[null, null]` when the pipeline goes without it. */
function partClass(file: string, part: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  if (!Array.isArray(value) || value.length !== 2) {
    throw invalid(file, `${shorten(part)}: expected [library, class], got ${show(value)}.`)
  }
  const name: unknown = value[1]
  if (name === null) return undefined
  if (typeof name !== 'string')
    throw invalid(file, `${shorten(part)}: expected the name of a class, got ${show(name)}.`)
  return name
}
