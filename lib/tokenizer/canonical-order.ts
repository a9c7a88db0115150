// Canonical ordering of very long runs of combining marks, which ICU does in quadratic time.

/** Shorter runs are left to ICU: 512 marks cost it under a millisecond, 500,000 cost minutes. */
const longRun = /\p{M}{512,}/gu

/** True when `normalize` would put `b` before `a`: 0 < ccc(b) < ccc(a). */
function outOfOrder(a: string, b: string): boolean {
  return (a + b).normalize('NFD') !== a + b
}

/** True for a mark of combining class 0, which no other mark may pass. U+0334 has class 1, U+0345 class 240. */
function isStarter(mark: string): boolean {
  return !outOfOrder('\u0345', mark) && !outOfOrder(mark, '\u0334')
}

/** Stable sort of marks by combining class, which JavaScript tells only through `normalize`. */
function sortMarks(marks: readonly string[]): string {
  const byMark = new Map<string, number[]>()
  marks.forEach((mark, at) => {
    const places = byMark.get(mark)
    if (places === undefined) byMark.set(mark, [at])
    else places.push(at)
  })
  const compare = (a: string, b: string) => (outOfOrder(a, b) ? 1 : outOfOrder(b, a) ? -1 : 0)
  const classes: string[][] = []
  for (const mark of [...byMark.keys()].sort(compare)) {
    const last = classes.at(-1)
    if (last !== undefined && compare(last[0]!, mark) === 0) last.push(mark)
    else classes.push([mark])
  }
  return classes
    .flatMap((members) => members.flatMap((mark) => byMark.get(mark)!).sort((a, b) => a - b))
    .map((at) => marks[at]!)
    .join('')
}

/**
 * The same text up to canonical equivalence, with long runs of combining marks already in canonical order
 * (Unicode, section 3.11, D108 and D109), so that `normalize` is linear on any input. A megabyte of alternating marks
 * would otherwise block the process for minutes.
 */
export function sortLongMarkRuns(text: string): string {
  return text.replace(longRun, (run) => {
    let sorted = ''
    let marks: string[] = []
    const starters = new Map<string, boolean>()
    for (const character of run) {
      for (const mark of character.normalize('NFD')) {
        let starter = starters.get(mark)
        if (starter === undefined) {
          starter = isStarter(mark)
          starters.set(mark, starter)
        }
        if (starter) {
          sorted += sortMarks(marks) + mark
          marks = []
        } else marks.push(mark)
      }
    }
    return sorted + sortMarks(marks)
  })
}
