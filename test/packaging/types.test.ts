// The packed declarations as consumers' compilers see them, and the package as linters of packages do.

import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { publint } from 'publint'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { expectSuccess } from './outcome.ts'
import { createUser } from './user.ts'

const user = createUser({ registry: inject('registry') })
afterAll(() => user.remove())
const tarballOf = (wanted: string) => inject('packages').find(({ name }) => name === wanted)!.file

/** A tool of this checkout's node_modules. */
function tool(script: string, args: readonly string[], cwd = process.cwd()) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [resolve('node_modules', script), ...args], {
    encoding: 'utf8',
    cwd,
  })
  return { code: status, stdout, stderr }
}

describe('the public types', () => {
  const source = resolve('test/packaging/consumers/api.ts')
  let project: string
  beforeAll(async () => {
    project = user.project()
    expectSuccess(await user.run('npm', ['install', 'tintype', '--no-audit'], { cwd: project }))
    symlinkSync(resolve('node_modules/@types'), join(project, 'node_modules/@types'))
    // Of both kinds, and one that is of neither for bundlers.
    for (const extension of ['mts', 'cts', 'ts']) cpSync(source, join(project, `api.${extension}`))
  })

  const compile = (file: string, ...options: readonly string[]) => {
    const common = [
      '--noEmit',
      '--strict',
      '--exactOptionalPropertyTypes',
      '--noUncheckedIndexedAccess',
      '--types',
      'node',
      '--target',
      'es2022',
    ]
    return tool('typescript/bin/tsc', [...common, '--ignoreConfig', ...options, file], project)
  }
  const nodenext = ['--module', 'nodenext', '--lib', 'es2022,esnext.disposable']

  it.each([
    ['an ES module', 'api.mts', nodenext],
    ['a CommonJS module', 'api.cts', nodenext],
    [
      'a bundled module',
      'api.ts',
      ['--module', 'esnext', '--moduleResolution', 'bundler', ...nodenext.slice(2)],
    ],
  ])('are what they promise to be in %s', (_, file, options) => {
    expectSuccess(compile(file, ...options))
  })

  it('would not pass if they were different', () => {
    const wrong = readFileSync(source, 'utf8').replace("['seed'], bigint>", "['seed'], number>")
    writeFileSync(join(project, 'wrong.mts'), wrong)
    const { code, stdout } = compile('wrong.mts', ...nodenext)
    expect(code).not.toBe(0)
    expect(stdout.trim().split('\n')).toEqual([
      expect.stringMatching(/^wrong\.mts.*error TS2345.*true.*false/),
    ])
  })
})

describe('the packages', () => {
  it.each(inject('packages').map(({ name }) => name))('%s has no fault that publint knows', async (name) => {
    const data = readFileSync(tarballOf(name))
    const tarball = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) as ArrayBuffer
    const { messages } = await publint({ pack: { tarball }, strict: true })
    expect(messages).toEqual([])
  })

  it('resolve to types wherever TypeScript looks', () => {
    // That `require` gives an ES module is meant: Node has been able to since 20.19.
    const outcome = tool('@arethetypeswrong/cli/dist/index.js', [
      tarballOf('tintype'),
      '--ignore-rules',
      'cjs-resolves-to-esm',
      '--no-color',
      '--no-emoji',
    ])
    expect(expectSuccess(outcome)).toMatch(/No problems found/)
  })
})

describe('the reference', () => {
  it('is made without a warning', () => {
    const out = join(user.folder, 'api')
    expectSuccess(tool('typedoc/bin/typedoc', ['--out', out]))
    expect(readFileSync(join(out, 'index.html'), 'utf8')).toContain('GenerateOptions')
  })
})
