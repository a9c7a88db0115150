// A bug planted on purpose, which the tests must notice.

/** Which tests must fail: files of the project `ptx`, all or those whose titles match. */
export interface Hunt {
  readonly files: readonly string[]
  readonly title?: string
  /** The GPU that the tests play; 80 by default. */
  readonly architecture?: number
  /** The kernels that run, whose PTX is in a folder of that name beside that of f16: f16 by default. */
  readonly precision?: 'f16' | 'bf16' | 'fast'
  /** What is compiled anew, of the kernels that a mutant of a header changes; by default all. */
  readonly kernels?: readonly string[]
}

export interface Mutant extends Hunt {
  /** What kind of bug this models, in a few words; names it in the ledger of results. */
  readonly bug: string
  /** From the root of the repository. */
  readonly file: string
  /** Occurs exactly once in the file. */
  readonly find: string
  readonly replace: string
  /** Why no test can notice it: the mutant computes the same. */
  readonly equivalent?: string
}

/** The tests of one part, for a list of bugs in it. */
export const hunting =
  (hunt: Hunt, folder: string) =>
  (file: string, bug: string, find: string, replace: string, more: Partial<Mutant> = {}): Mutant => ({
    ...hunt,
    ...{ file: `${folder}/${file}`, bug, find, replace },
    ...more,
  })

/** @throws Error where the anchor does not occur exactly once */
export function apply({ file, bug, find, replace }: Mutant, text: string): string {
  const count = text.split(find).length - 1
  if (count !== 1) {
    throw new Error(
      `The mutant "${bug}" no longer applies: ${file} has ${count} times, instead of once:\n${find}`,
    )
  }
  // A function, so that $ is nothing special.
  return text.replace(find, () => replace)
}
