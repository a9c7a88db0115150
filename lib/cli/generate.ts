// `tintype PROMPT`: paints pictures and writes them to files.

import { addAbortSignal } from 'node:stream'
import { text } from 'node:stream/consumers'
import { TintypeError } from '../errors.ts'
import type { GenerateOptions, GenerateResult, LoadOptions, Picture, ProgressEvent } from '../index.ts'
import type { Size } from './arguments.ts'
import { checkFolder, outputPaths } from './file-names.ts'
import { progressOn, silent } from './progress.ts'

export interface GenerateFlags {
  readonly output?: string
  readonly model?: string
  readonly negative?: string
  readonly size?: Size
  readonly steps?: number
  readonly guidance?: number
  readonly guidanceInterval?: readonly [number, number]
  readonly sequentialGuidance?: boolean
  readonly cacheInterval?: number
  readonly tokenMerging?: number
  readonly seed?: bigint
  readonly rng?: GenerateOptions['rng']
  readonly scheduler?: string
  readonly karras?: boolean
  readonly count?: number
  readonly init?: string
  readonly strength?: number
  readonly temperature?: number
  readonly eta?: number
  readonly threshold?: GenerateOptions['threshold']
  readonly device?: LoadOptions['device']
  readonly precision?: LoadOptions['precision']
  readonly threads?: number
  readonly vaeTiling?: LoadOptions['vaeTiling']
  readonly json?: boolean
  readonly quiet?: boolean
}

/** All that stdin says until it ends, or somebody is tired of waiting for that. */
async function readInput(signal: AbortSignal): Promise<string> {
  try {
    return await text(addAbortSignal(signal, process.stdin))
  } catch (error) {
    if (!signal.aborted) throw error
    throw new TintypeError('ABORTED', 'Interrupted while waiting for a prompt on stdin.', { cause: error })
  }
}

async function readStdin(signal: AbortSignal): Promise<string> {
  const prompt = (await readInput(signal)).trim()
  if (prompt !== '') return prompt
  throw new TintypeError('INVALID_ARGUMENT', 'Expected a prompt on stdin, which - stands for, got nothing.', {
    advice: 'Example: echo "red apple" | tintype -',
  })
}

/** A prompt of `-` is what stdin says. */
const readPrompts = (prompts: readonly string[], signal: AbortSignal): Promise<string[]> =>
  Promise.all(prompts.map((prompt) => (prompt === '-' ? readStdin(signal) : prompt)))

const optionsFrom = (
  prompt: readonly string[],
  flags: GenerateFlags,
  signal: AbortSignal,
): GenerateOptions => ({
  ...{ prompt, signal, ...flags.size },
  negativePrompt: flags.negative,
  steps: flags.steps,
  guidanceScale: flags.guidance,
  guidanceInterval: flags.guidanceInterval,
  sequentialGuidance: flags.sequentialGuidance,
  cacheInterval: flags.cacheInterval,
  tokenMerging: flags.tokenMerging,
  seed: flags.seed,
  rng: flags.rng,
  scheduler: flags.scheduler,
  karrasSigmas: flags.karras,
  count: flags.count,
  init: flags.init,
  strength: flags.strength,
  temperature: flags.temperature,
  eta: flags.eta,
  threshold: flags.threshold,
})

async function write(images: readonly Picture[], output: string | undefined): Promise<string[]> {
  const pictures = images.map(({ parameters, seed }) => ({ prompt: parameters.prompt, seed }))
  const paths = outputPaths(output, pictures)
  for (const [i, image] of images.entries()) await image.toFile(paths[i]!)
  return paths
}

function printJson({ images, timings, warnings }: GenerateResult, paths: readonly string[]): void {
  const listed = images.map(({ width, height, seed }, i) => ({
    path: paths[i],
    width,
    height,
    seed: String(seed),
  }))
  console.log(JSON.stringify({ images: listed, timings, warnings }))
}

/** Runs the command; rejects with what the API throws. */
export async function generateCommand(
  prompts: readonly string[],
  flags: GenerateFlags,
  signal: AbortSignal,
): Promise<void> {
  // Late, so that --help is quick; .js, since the compiler leaves dynamic imports as they are.
  const { load, defaultModelFolder } = await import('../index.js')
  const { formatOf } = await import('../image/picture.js')
  if (flags.output !== undefined) formatOf(flags.output)
  await checkFolder(flags.output)
  const options = optionsFrom(await readPrompts(prompts, signal), flags, signal)
  const { device, precision, threads, vaeTiling } = flags
  const where = { device, precision, threads, vaeTiling }
  await using pipeline = await load(flags.model ?? defaultModelFolder, where)
  const { deviceNote } = pipeline.info
  if (deviceNote !== undefined && !flags.quiet) console.error(`tintype: computes on the CPU. ${deviceNote}`)
  const progress = flags.quiet ? silent : progressOn(process.stderr)
  let result: GenerateResult
  try {
    const onProgress = (event: ProgressEvent) => {
      progress.report(event)
      // Loaded while other threads decode, which this one does not serve; if it fails, writing the files will say so.
      if (event.type === 'stage' && event.stage === 'decode') void import('sharp').catch(() => undefined)
    }
    result = await pipeline.generate({ ...options, onProgress })
  } finally {
    progress.end()
  }
  const paths = await write(result.images, flags.output)
  if (flags.json) return printJson(result, paths)
  for (const warning of result.warnings) console.error(`tintype: ${warning}`)
  for (const path of paths) console.log(path)
}
