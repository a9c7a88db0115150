// Every bug that is planted.

import type { Mutant } from './mutant.ts'
import { others } from './others.ts'
import { products } from './products.ts'

export const mutants: readonly Mutant[] = [...products, ...others]
