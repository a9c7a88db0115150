// The golden pipelines as tests use them: folder, settings, tensors.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type GoldenTensor, readTensors } from './tensors.ts'

const root = new URL('./pipelines/', import.meta.url)

export const goldenNames: readonly string[] = readdirSync(root)
  .filter((name) => existsSync(new URL(`${name}/golden.json`, root)))
  .sort()

export interface Golden {
  readonly name: string
  readonly folder: string
  /** golden.json, see the README beside it. */
  // biome-ignore lint/suspicious/noExplicitAny: a data file, described in its README
  readonly settings: any
  readonly has: (tensor: string) => boolean
  readonly tensor: (name: string) => GoldenTensor
  /** Weights of a component as plain numbers, for the interpreter. */
  readonly weights: (component: string) => (name: string) => Float32Array
}

export function openGolden(name: string): Golden {
  const folder = fileURLToPath(new URL(`${name}/model`, root))
  const tensors = readTensors(new URL(`${name}/golden.safetensors`, root))
  const tensor = (key: string) => {
    const found = tensors.get(key)
    if (!found) throw new Error(`${name} has no golden tensor ${key}`)
    return found
  }
  return {
    name,
    folder,
    settings: JSON.parse(readFileSync(new URL(`${name}/golden.json`, root), 'utf8')),
    has: (key) => tensors.has(key),
    tensor,
    weights(component) {
      const files = readdirSync(`${folder}/${component}`).filter((file) => file.endsWith('.safetensors'))
      const all = new Map(files.flatMap((file) => [...readTensors(`${folder}/${component}/${file}`)]))
      return (weight) => {
        const found = all.get(weight) ?? all.get(weight.replace('text_model.', ''))
        if (!found) throw new Error(`${component} has no weight ${weight}`)
        return found.data as Float32Array
      }
    },
  }
}
