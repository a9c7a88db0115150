// One step of any linear sampler with classifier-free guidance (Ho and Salimans, 2022, equation 6).
// Schedulers are rows of numbers (lib/schedulers): this is the only place where they meet tensors.

import { defineOp, float, inPlace, input, keepFloat, optional, output } from '../spec.ts'

/** Order of the coefficients that a step reads; `history` coefficients follow them. */
export const stepCoefficients = [
  'guidance',
  'latents',
  'model',
  'noise',
  'correction',
  'rememberLatents',
  'rememberModel',
  'rememberCorrection',
  'cleanLatents',
  'cleanModel',
] as const

/** Guided prediction of element i: uncond + g * (cond - uncond), or the only prediction there is. */
function guide(
  model: ArrayLike<number>,
  i: number,
  count: number,
  copies: number,
  g: number,
  round: (x: number) => number,
) {
  if (copies === 1) return model[i]!
  return round(model[i]! + round(g * round(model[count + i]! - model[i]!)))
}

export const predictClean = defineOp({
  name: 'predictClean',
  formula: 'y = cleanLatents * latents + cleanModel * m, m the guided model output',
  dims: ['count', 'copies', 'width'],
  operands: {
    latents: keepFloat(input('count')),
    /** (copies, count): without guidance one prediction, else unconditional then conditional. */
    model: input('copies', 'count'),
    coefficients: keepFloat(input('width')),
    y: keepFloat(output('count')),
  },
  params: {},
  check: ({ copies, width }) =>
    copies > 2 || width < stepCoefficients.length
      ? `${copies} predictions, ${width} coefficients`
      : undefined,
  reference({ latents, model, coefficients, y, count, copies }, round) {
    const [g, , , , , , , , cleanLatents, cleanModel] = coefficients as unknown as number[]
    for (let i = 0; i < count; i++) {
      const m = guide(model, i, count, copies, g!, round)
      y[i] = round(round(cleanLatents! * latents[i]!) + round(cleanModel! * m))
    }
  },
})

export const dynamicThreshold = defineOp({
  name: 'dynamicThreshold',
  formula:
    'y = clamp(x, -s, s) / s, s = clamp(percentile of |x| per picture, 1, max) (Saharia et al., 2022, section 2.3)',
  dims: ['n', 'count'],
  operands: { x: keepFloat(input('n', 'count')), y: keepFloat(output('n', 'count')) },
  params: { percentile: float, max: float },
  check: ({ percentile, max }) =>
    percentile > 0 && percentile <= 1 && max >= 1 ? undefined : `percentile ${percentile}, max ${max}`,
  reference({ x, y, n, count, percentile, max }, round) {
    for (let picture = 0; picture < n; picture++) {
      const row = picture * count
      const sorted = Float64Array.from(x.subarray(row, row + count), Math.abs).sort()
      // Linear interpolation between ranks, as numpy and torch.quantile do.
      const rank = percentile * (count - 1)
      const low = Math.floor(rank)
      const high = Math.min(count - 1, low + 1)
      const quantile = round(sorted[low]! + (sorted[high]! - sorted[low]!) * (rank - low))
      const s = Math.min(max, Math.max(1, quantile))
      for (let i = 0; i < count; i++) y[row + i] = round(Math.min(s, Math.max(-s, x[row + i]!)) / s)
    }
  },
})

export const schedulerStep = defineOp({
  name: 'schedulerStep',
  formula:
    "x' = latents*x + model*m + correction*d + sum(history_i * h_i) + noise*z, the history gets " +
    'rememberLatents*x + rememberModel*m + rememberCorrection*d in front; m is the guided model output, ' +
    'd = clean - (cleanLatents*x + cleanModel*m) where clean is given, else 0',
  dims: ['count', 'copies', 'width', 'depth'],
  operands: {
    latents: keepFloat(input('count')),
    model: input('copies', 'count'),
    coefficients: keepFloat(input('width')),
    /** What dynamic thresholding made of the predicted clean latents. */
    clean: optional(keepFloat(input('count'))),
    /** (depth, count), newest first. */
    history: optional(keepFloat(input('depth', 'count'))),
    noise: optional(keepFloat(input('count'))),
    y: inPlace(keepFloat(output('count')), 'latents'),
    newHistory: optional(inPlace(keepFloat(output('depth', 'count')), 'history')),
  },
  params: {},
  check({ copies, width, depth }) {
    if (copies > 2) return `${copies} predictions, expected 1 or 2`
    return width === stepCoefficients.length + depth
      ? undefined
      : `${width} coefficients, expected ${stepCoefficients.length} and one for each of ${depth} in the history`
  },
  reference(args, round) {
    const { latents, model, coefficients, clean, history, noise, y, newHistory, count, copies, depth } = args
    const [g, cx, cm, cn, cd, hx, hm, hd, px, pm] = coefficients as unknown as number[]
    for (let i = 0; i < count; i++) {
      const x = latents[i]!
      const m = guide(model, i, count, copies, g!, round)
      const d = clean ? round(clean[i]! - round(round(px! * x) + round(pm! * m))) : 0
      let next = round(round(round(cx! * x) + round(cm! * m)) + round(cd! * d))
      if (history) {
        for (let h = 0; h < depth; h++) {
          next = round(next + round(coefficients[stepCoefficients.length + h]! * history[h * count + i]!))
        }
      }
      if (noise) next = round(next + round(cn! * noise[i]!))
      if (history && newHistory) {
        for (let h = depth - 1; h > 0; h--) newHistory[h * count + i] = history[(h - 1) * count + i]!
        newHistory[i] = round(round(round(hx! * x) + round(hm! * m)) + round(hd! * d))
      }
      y[i] = next
    }
  },
})
