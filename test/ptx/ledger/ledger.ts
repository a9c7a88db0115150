// The ledger as data: what every kernel takes of a processor, and what a few launches do. ledger.json is one of these.

/** Figures of one thing by name; those that are 0 are left out. */
export type Figures = Readonly<Record<string, number>>

/** Figures of a kernel by target: `sm_80 f16`. */
export type ByTarget = Readonly<Record<string, Figures>>

export interface Ledger {
  /** Version of nvcc: another one makes other code. */
  readonly compiler: string
  /** Bytes of all machine code by architecture. */
  readonly code: ByTarget
  /** Registers, spills, memory and occupancy, by kernel. */
  readonly resources: Readonly<Record<string, ByTarget>>
  /** What launches execute, by launch and kernel. */
  readonly launches: Readonly<Record<string, Readonly<Record<string, ByTarget>>>>
}

/** One figure of one thing on one target. */
export interface Entry {
  /** A kernel, with the launch that ran it where there is one; or the machine code as a whole. */
  readonly subject: string
  readonly target: string
  readonly figure: string
  readonly value: number
}

const entriesOf = (subject: string, targets: ByTarget): Entry[] =>
  Object.entries(targets).flatMap(([target, figures]) =>
    Object.entries(figures).map(([figure, value]) => ({ subject, target, figure, value })),
  )

/** All figures of a ledger, one by one. */
export const flatten = ({ code, resources, launches }: Omit<Ledger, 'compiler'>): Entry[] => [
  ...entriesOf('machine code', code),
  ...Object.entries(resources).flatMap(([kernel, targets]) => entriesOf(kernel, targets)),
  ...Object.entries(launches).flatMap(([launch, kernels]) =>
    Object.entries(kernels).flatMap(([kernel, targets]) => entriesOf(`${kernel} of ${launch}`, targets)),
  ),
]
