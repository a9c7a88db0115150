// Where the ledger lies.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Ledger } from './ledger.ts'

export const ledgerPath = fileURLToPath(new URL('../ledger.json', import.meta.url))

export const readLedger = (): Ledger => JSON.parse(readFileSync(ledgerPath, 'utf8')) as Ledger
