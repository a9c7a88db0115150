// Writes the ledger anew. usage: npm run ledger

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { build, missing } from '../build.ts'
import { ledgerPath } from './file.ts'
import { measure } from './measure.ts'

const reason = missing()
if (reason) throw new Error(`the ledger cannot be written: ${reason}`)
build()
writeFileSync(ledgerPath, JSON.stringify(measure()))
spawnSync('npx', ['biome', 'format', '--write', ledgerPath], { stdio: 'inherit' })
