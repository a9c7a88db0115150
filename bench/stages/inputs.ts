// What all contenders of a comparison are given: the same numbers, in files.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { elements } from '../../lib/graph/graph.ts'
import { readJson } from '../../lib/json-file.ts'
import type { ModelConfigs } from '../../lib/models/configs.ts'
import { parseSchedulerConfig } from '../../lib/schedulers/config.ts'
import { createGenerator } from '../../lib/schedulers/noise.ts'
import { buildTrajectory } from '../../lib/schedulers/trajectory.ts'
import { ClipTokenizer } from '../../lib/tokenizer/clip.ts'
import type { ArrayFile, Job, Stage } from '../peers/protocol.ts'
import type { StageSize } from './graphs.ts'

const seed = 1
const prompts = ['a lighthouse at dusk, oil painting', '']

/** What `image` paints, by the sampler that everybody has; noise levels are given to those that would choose others. */
export async function readPicture(model: string, steps: number): Promise<NonNullable<Job['picture']>> {
  const file = join(model, 'scheduler', 'scheduler_config.json')
  const config = parseSchedulerConfig(await readJson(file), file)
  const { rows } = buildTrajectory({ config, name: 'euler', steps })
  const sigmas = [...rows.map(({ sigma }) => sigma), 0]
  return { prompt: prompts[0]!, steps, guidanceScale: 7.5, seed, sigmas }
}

/** Halfway through the noise. */
const timestep = 500

export interface InputRequest extends StageSize {
  readonly stage: Stage
  readonly model: string
  readonly configs: ModelConfigs
  readonly folder: string
}

/** Writes the inputs of a stage; the same seed gives the same numbers. */
export async function writeInputs({
  stage,
  model,
  configs,
  size,
  batch,
  folder,
}: InputRequest): Promise<Record<string, ArrayFile>> {
  const { textEncoder, unet, vae } = configs
  const side = size / vae.factor
  const generator = createGenerator({ seed })
  const save = async (name: string, shape: number[], data: Float32Array | Int32Array) => {
    const file = join(folder, name)
    await writeFile(file, data)
    return { [name]: { file, dtype: data instanceof Int32Array ? 'i32' : 'f32', shape } as const }
  }
  const normal = (name: string, ...shape: number[]) => save(name, shape, generator.randn(shape))
  switch (stage) {
    case 'text': {
      const tokenizer = await ClipTokenizer.load(join(model, 'tokenizer'), textEncoder.maxPositions)
      const ids = Array.from({ length: batch }, (_, i) => [
        ...tokenizer.tokenize(prompts[i % prompts.length]!).ids,
      ])
      return save('ids', [batch, textEncoder.maxPositions], Int32Array.from(ids.flat()))
    }
    case 'unet': {
      // Guidance predicts for the same latents with each prompt.
      const shape = [1, unet.inChannels, side, side]
      const picture = generator.randn(shape)
      const latents = Float32Array.from(
        { length: batch * picture.length },
        (_, i) => picture[i % picture.length]!,
      )
      return {
        ...(await save('latents', [batch, ...shape.slice(1)], latents)),
        ...(await save('timestep', [1], Float32Array.of(timestep))),
        ...(await normal('context', batch, textEncoder.maxPositions, unet.crossAttentionDim)),
      }
    }
    case 'vae-decode':
      return normal('latents', batch, vae.latentChannels, side, side)
    case 'vae-encode': {
      const shape = [batch, 3, size, size]
      const noise = generator.randn(elements(shape))
      return save('pixels', shape, noise.map(Math.tanh))
    }
    case 'image':
      return normal('noise', batch, vae.latentChannels, side, side)
  }
}
