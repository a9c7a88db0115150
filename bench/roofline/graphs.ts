// The graphs whose budgets are given, after all passes: a step of the SD 1.5 UNet and the decoder, at 512x512.

import type { Graph, Node } from '../../lib/graph/graph.ts'
import { makePlan } from '../../lib/graph/plan.ts'
import { parseTextEncoderConfig, parseUnetConfig, parseVaeConfig } from '../../lib/models/configs.ts'
import { passesFor } from '../../lib/pipelines/component.ts'
import { decodeGraph, stepGraphs } from '../../lib/pipelines/stages.ts'
import { sd15 } from '../../test/unit/models/published-configs.ts'

const configs = {
  index: { className: 'StableDiffusionPipeline', scheduler: 'DDIMScheduler', safetyChecker: false },
  textEncoder: parseTextEncoderConfig(sd15.text, 'text'),
  unet: parseUnetConfig(sd15.unet, 'unet'),
  vae: parseVaeConfig(sd15.vae, 'vae'),
}
const latents = { n: 1, h: 64, w: 64 }
/** Guided, so that the UNet runs on two; DDIM, which needs neither noise nor history. */
const step = {
  ...{ ...latents, guided: true, stochastic: false, historyLength: 0 },
  ...{ threshold: undefined, wantClean: false },
}

const passes = passesFor({ precision: 'f16', matrices: 'stored', largeTiles: () => false }, false)
const nodesOf = (graph: Graph): readonly Node[] => makePlan(graph, () => 0, passes).graph.nodes

/** Of every step; what depends on the prompt alone is done before. */
export const stepNodes = (): readonly Node[] => nodesOf(stepGraphs(configs, step).loop)
export const decodeNodes = (): readonly Node[] => nodesOf(decodeGraph(configs, latents))
