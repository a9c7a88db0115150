// Euler steps that go lower than needed and come back up with fresh noise ("Euler a").

import type { SamplerPlan, SamplerRequest } from './contract.ts'
import { planSigmaRun } from './sigma-run.ts'

/**
 * diffusers' `EulerAncestralDiscreteScheduler`, k-diffusion's `sample_euler_ancestral` with eta 1: the noise of
 * DDPM's posterior, sigma_up^2 = next^2 (sigma^2 - next^2) / sigma^2, and sigma_down^2 = next^2 - sigma_up^2.
 * The file's `final_sigmas_type` is Euler's alone: the last step ends at 0.
 */
export function eulerAncestral(request: SamplerRequest): SamplerPlan {
  const config = { ...request.config, finalSigma: 'zero' as const }
  return planSigmaRun({ ...request, config }, (sigma, next) => {
    const down = (next * next) / sigma
    return { down, noise: Math.sqrt(Math.max(next * next - down * down, 0)) }
  })
}
