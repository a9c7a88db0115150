// The spelling somebody probably meant.

/** Number of single-character edits (insert, delete, replace, swap of neighbours) between two words. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      row[j] = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j]!, beforeLast[j - 2]! + 1)
      }
    }
    beforeLast = last
    last = row
  }
  return last[b.length]!
}

/**
 * How many edits are a slip of the keyboard, where the name is wrong in any case: fewer than it has letters, which would
 * all be others.
 */
const slip = (name: string) => Math.min(name.length - 1, Math.max(2, Math.floor(name.length / 3)))

/** The candidate closest to `name`, or undefined when none is within `mostEdits`. */
export function nearest(
  name: string,
  candidates: Iterable<string>,
  mostEdits = slip(name.slice(0, 64)),
): string | undefined {
  const wanted = name.slice(0, 64).toLowerCase()
  let best: string | undefined
  let bestDistance = mostEdits + 1
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** The candidate that begins with `name`, or nearly: `guidence` is the beginning of `guidanceScale`. */
export function nearestBeginning(name: string, candidates: readonly string[]): string | undefined {
  const { length } = name.slice(0, 64)
  if (length < 4) return undefined
  const beginnings = candidates.map((candidate) => candidate.slice(0, length))
  const near = nearest(name, beginnings, Math.floor(length / 4))
  return near === undefined ? undefined : candidates[beginnings.indexOf(near)]
}

/** `Did you mean "x"?`, or the full list when nothing is near. */
export function suggestion(name: string, candidates: Iterable<string>): string {
  const all = [...candidates]
  const near = nearest(name, all) ?? nearestBeginning(name, all)
  return near === undefined ? `Expected one of: ${all.join(', ')}.` : `Did you mean "${near}"?`
}
