// What a scheduler is to the rest of tintype: rows of coefficients. Tensors and drawing of noise live elsewhere.

/** What a UNet was trained to predict: the noise, the velocity (arXiv:2202.00512, appendix D) or the clean latents. */
export type PredictionType = 'epsilon' | 'v_prediction' | 'sample'

/** How the steps of a run are spread over the training timesteps (arXiv:2305.08891, table 2). */
export type TimestepSpacing = 'leading' | 'linspace' | 'trailing'

/** The samplers, by the names that users write. */
export type SchedulerName = 'ddim' | 'euler' | 'euler-ancestral' | 'dpmpp-2m'

/** A linear combination of the latents x and the raw model output m: `latents * x + model * m`. */
export interface Combination {
  readonly latents: number
  readonly model: number
}

/**
 * One evaluation of the UNet and what becomes of its output m. The prediction type is folded in: all coefficients are
 * for the raw output, after classifier-free guidance.
 */
export interface StepRow {
  /** Fed to the UNet; fractional with Karras sigmas. */
  readonly timestep: number
  /** The noise level as k-diffusion counts it, noise over signal; for reports. DDIM's first is infinite at zero SNR. */
  readonly sigma: number
  /** The UNet reads `inputScale * x`. */
  readonly inputScale: number
  /** `x' = latents * x + model * m + sum(history[i] * h[i]) + noise * N(0, 1)`; h[0] is the newest entry. */
  readonly next: Combination & {
    readonly history: readonly number[]
    readonly noise: number
    /** Dynamic thresholding, which puts x0* in the place of x0: `x' += correction * (x0* - x0)`. */
    readonly correction: number
  }
  /** What the history gets after the step: `h' = latents * x + model * m + correction * (x0* - x0)`. */
  readonly remember: Combination & { readonly correction: number }
  /** The predicted clean latents x0, for previews and dynamic thresholding. */
  readonly clean: Combination
}

/** A whole run. */
export interface Trajectory {
  readonly scheduler: SchedulerName
  /** Whether Karras et al.'s noise levels are used. */
  readonly karras: boolean
  /** The run starts from `clean * latents + noise * N(0, 1)`; text to image has `clean` 0. */
  readonly initial: { readonly clean: number; readonly noise: number }
  /** How many entries of history the rows use: 0 or 1. */
  readonly historyLength: number
  readonly rows: readonly StepRow[]
  /** True when a row adds noise (at temperature 1), so that each step draws from the generator. */
  readonly stochastic: boolean
  /** What the user should know: a replaced scheduler, an option without effect. */
  readonly warnings: readonly string[]
}

/** A scheduler_config.json. Where it is silent, diffusers' default for the chosen sampler applies. */
export interface SchedulerConfig {
  /** `_class_name`, for instance `PNDMScheduler`; undefined when the file has none. */
  readonly className: string | undefined
  readonly numTrainTimesteps: number
  readonly betas: BetaConfig
  readonly rescaleBetasZeroSnr: boolean
  readonly predictionType: PredictionType
  readonly timestepSpacing: TimestepSpacing | undefined
  /** Added to the timesteps of `leading` spacing. */
  readonly stepsOffset: number
  /** DDIM: the step to timestep -1 ends at alpha 1 instead of at that of timestep 0. */
  readonly setAlphaToOne: boolean
  readonly karras: boolean
  /** Ends of the Karras sigmas of Euler; undefined means the ends of the run's own sigmas. */
  readonly sigmaMin: number | undefined
  readonly sigmaMax: number | undefined
  readonly finalSigma: 'zero' | 'sigma_min'
  readonly dpm: {
    readonly solverOrder: 1 | 2
    readonly lowerOrderFinal: boolean
    readonly eulerAtFinal: boolean
    readonly lambdaMinClipped: number
  }
  /** Fields that ask for arithmetic we do not have, with the samplers that would read them. */
  readonly unsupported: readonly { readonly message: string; readonly readBy: readonly SchedulerName[] }[]
}

/** Where the betas come from. */
export type BetaConfig =
  | {
      readonly schedule: 'linear' | 'scaled_linear' | 'squaredcos_cap_v2'
      readonly start: number
      readonly end: number
    }
  | { readonly schedule: 'trained'; readonly values: readonly number[] }

/** What a sampler is asked for; validated before. */
export interface SamplerRequest {
  readonly config: SchedulerConfig
  readonly steps: number
  /** DDIM only, 0 to 1. */
  readonly eta: number
  readonly karras: boolean
}

/** A sampler's plan for a run, from which text to image and image to image take their rows. */
export interface SamplerPlan {
  readonly length: number
  readonly historyLength: number
  /** Standard deviation of the first latents of text to image (`init_noise_sigma`). */
  readonly initialNoise: number
  /** Noised latents before the step of this index (`add_noise`): `clean * x0 + noise * N(0, 1)`. */
  noised(index: number): { readonly clean: number; readonly noise: number }
  /** @param begin the index at which the run starts, where no history is there yet */
  row(index: number, begin: number): StepRow
}

/** A sampler: a pure function from a configuration and a number of steps to a plan. */
export type Sampler = (request: SamplerRequest) => SamplerPlan
