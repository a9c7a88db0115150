// Which steps are guided, and which compute the whole UNet: where quality is given for speed, if it is asked for.

export interface StepKind {
  /** Two predictions instead of one. */
  readonly guided: boolean
  /** Whether the step gives the UNet's features for later ones, or takes those of an earlier one. */
  readonly features?: 'keep' | 'reuse' | undefined
}

export interface StepKindOptions {
  readonly guided: boolean
  /** Shares of the run between which steps are guided, 0 to 1. */
  readonly guidanceInterval: readonly [number, number]
  /** One step in so many computes the whole UNet; 1 for all. */
  readonly cacheInterval: number
}

/**
 * The kind of each step. Guidance in a part of the run follows Kynkäänniemi et al. (arXiv:2404.07724), features for
 * several steps DeepCache (Ma et al., arXiv:2312.00858). Features of guided steps are of another shape than those of others:
 * where guidance begins or ends, the whole UNet is computed.
 */
export function stepKinds(
  steps: number,
  { guided, guidanceInterval: [from, to], cacheInterval }: StepKindOptions,
): StepKind[] {
  const guidedAt = Array.from({ length: steps }, (_, i) => guided && i >= from * steps && i < to * steps)
  let whole = 0
  const reuses = guidedAt.map((now, i) => {
    const reuse = i > 0 && i - whole < cacheInterval && now === guidedAt[whole]
    if (!reuse) whole = i
    return reuse
  })
  return guidedAt.map((now, i) => {
    if (reuses[i]) return { guided: now, features: 'reuse' }
    return reuses[i + 1] ? { guided: now, features: 'keep' } : { guided: now }
  })
}
