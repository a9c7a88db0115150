// Plants one bug after the other and runs the tests that must notice it: npm run test:mutants. `-- --only TEXT` takes those
// whose file or description contains it, `-- --check` only looks whether all of them still apply. What came of each is
// written to results.json.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { missing } from '../build.ts'
import { mutants } from './all.ts'
import { apply, type Mutant } from './mutant.ts'
import { prepare, runMutant } from './workplace.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const results = fileURLToPath(new URL('results.json', import.meta.url))

interface Result {
  readonly bug: string
  readonly file: string
  readonly outcome: 'caught' | 'survived' | 'equivalent'
  /** How it was noticed, or why it cannot be. */
  readonly because: string
}

const { values: flags } = parseArgs({
  options: { only: { type: 'string', default: '' }, check: { type: 'boolean', default: false } },
})

const chosen = mutants.filter(({ bug, file }) => `${file} ${bug}`.includes(flags.only))
if (chosen.length === 0) throw new Error(`No mutant has "${flags.only}" in its file or description.`)

// All of them first: hours later is too late to learn that the last one does not apply.
for (const mutant of chosen) apply(mutant, readFileSync(join(root, mutant.file), 'utf8'))
console.log(`${chosen.length} mutants apply`)

/** Replaces what is known of these bugs, and forgets those that are planted no more. */
function record(tested: readonly Result[]): void {
  const known: Result[] = existsSync(results) ? JSON.parse(readFileSync(results, 'utf8')) : []
  const byBug = new Map([...known, ...tested].map((result) => [result.bug, result]))
  const listed = mutants.flatMap(({ bug }) => byBug.get(bug) ?? [])
  writeFileSync(results, `${JSON.stringify(listed, undefined, 2)}\n`)
}

function test(mutant: Mutant): Result {
  const { bug, file, equivalent } = mutant
  const started = performance.now()
  const { passed, failed, message } = runMutant(mutant)
  const seconds = Math.round((performance.now() - started) / 1000)
  if (failed === 0 && passed === 0) throw new Error(`No test ran for "${bug}": ${message}`)
  const outcome = failed > 0 ? 'caught' : equivalent ? 'equivalent' : 'survived'
  console.log(`${outcome.padEnd(10)} ${seconds} s  ${file}: ${bug}`)
  if (failed > 0 && equivalent) throw new Error(`"${bug}" is no equivalent: ${message}`)
  const result = {
    bug,
    file,
    outcome,
    because: failed > 0 ? message : (equivalent ?? `${passed} tests passed`),
  } as const
  record([result])
  return result
}

if (!flags.check) {
  const reason = missing()
  if (reason) throw new Error(`Mutants cannot be tested: ${reason}.`)
  prepare([...new Set(chosen.map(({ architecture = 80 }) => architecture))])
  const tested = chosen.map(test)
  const survivors = tested.filter(({ outcome }) => outcome === 'survived')
  const count = (outcome: Result['outcome']) => tested.filter((result) => result.outcome === outcome).length
  console.log(`${count('caught')} caught, ${count('equivalent')} equivalent, ${survivors.length} survived`)
  for (const { file, bug } of survivors) console.log(`  survived: ${file}: ${bug}`)
  if (survivors.length > 0) process.exitCode = 1
}
