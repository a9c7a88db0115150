// The comparisons that a command asks for: which stages, at which sizes, with how many threads.

import type { Arguments } from '../arguments.ts'
import type { Stage } from '../peers/protocol.ts'
import type { StageSize } from './graphs.ts'

export interface PlannedStage extends StageSize {
  readonly stage: Stage
  readonly threads: number
}

/** Guided generation runs the UNet and the text encoder on two at once, the VAE on one picture. */
const batches: Readonly<Record<Stage, number>> = {
  text: 2,
  unet: 2,
  'vae-decode': 1,
  'vae-encode': 1,
  image: 1,
}

/** In the order of a generation; the text encoder knows no sizes and is measured once. */
export function planStages(
  { subjects, sizes }: Pick<Arguments, 'subjects' | 'sizes'>,
  threads: readonly number[],
): PlannedStage[] {
  const stages = subjects.flatMap((subject): Stage[] => {
    if (subject === 'vae') return ['vae-decode', 'vae-encode']
    return subject === 'text' || subject === 'unet' || subject === 'image' ? [subject] : []
  })
  return stages.flatMap((stage) =>
    (stage === 'text' ? sizes.slice(0, 1) : sizes).flatMap((size) =>
      threads.map((count) => ({ stage, size, batch: batches[stage], threads: count })),
    ),
  )
}
