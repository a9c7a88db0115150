// Euler's rule on the probability-flow ODE (Karras et al., arXiv:2206.00364, algorithm 2 without churn and correction).

import type { SamplerPlan, SamplerRequest } from './contract.ts'
import { planSigmaRun } from './sigma-run.ts'

/** diffusers' `EulerDiscreteScheduler`, k-diffusion's `sample_euler`. */
export function euler(request: SamplerRequest): SamplerPlan {
  return planSigmaRun(request, (_, next) => ({ down: next, noise: 0 }))
}
