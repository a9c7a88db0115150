// Every bug that is planted.

import { hosts } from './hosts.ts'
import type { Mutant } from './mutant.ts'
import { others } from './others.ts'
import { products } from './products.ts'

export const mutants: readonly Mutant[] = [...hosts, ...products, ...others]
