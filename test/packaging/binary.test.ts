// The prebuilt Linux binaries from outside: what they ask of the system that loads them, and what they show to it.

import { execFileSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { currentLibc } from '../../lib/runtime/platform.ts'

const outputOf = (file: string, program: string, ...args: string[]) =>
  execFileSync(program, [...args, file], { encoding: 'utf8', maxBuffer: 1 << 28 })

const addon = join(inject('prebuilt'), 'tintype.node')
const cudaAddon = join(inject('prebuilt'), 'tintype_cuda.node')
const hasCuda = existsSync(cudaAddon)
if (!hasCuda)
  console.warn('tintype_cuda.node was not compiled (no nvcc, or TINTYPE_CUDA=OFF): it is not looked at')

/** Whether version a comes before version b. */
function before(a: string, b: string): boolean {
  const [x, y] = [a, b].map((version) => version.split('.').map(Number))
  for (let i = 0; i < Math.max(x!.length, y!.length); i++) {
    if ((x![i] ?? 0) !== (y![i] ?? 0)) return (x![i] ?? 0) < (y![i] ?? 0)
  }
  return false
}

const binaries: readonly [string, string, number][] = [
  ['tintype.node', addon, 5e6],
  ...(hasCuda ? [['tintype_cuda.node', cudaAddon, 40e6] as [string, string, number]] : []),
]

describe.runIf(currentLibc() === 'glibc').each(binaries)('the prebuilt %s', (_, file, mostBytes) => {
  const output = (program: string, ...args: string[]) => outputOf(file, program, ...args)

  it('asks for no symbol that glibc 2.17 lacks', () => {
    const versions = [...output('objdump', '-T').matchAll(/GLIBC_([0-9.]+)/g)].map((match) => match[1]!)
    expect(versions.length).toBeGreaterThan(50)
    expect([...new Set(versions)].filter((version) => before('2.17', version))).toEqual([])
    expect(before('2.17', '2.28') && !before('2.17', '2.2.5') && !before('2.17', '2.17')).toBe(true)
  })

  it('asks for nothing but symbols of glibc and of Node-API', () => {
    const lines = output('nm', '-D', '--undefined-only').split('\n').filter(Boolean)
    // Weak ones need not be there.
    const needed = lines.flatMap((line) => /^\s+U (\S+)/.exec(line)?.[1] ?? [])
    expect(needed.filter((name) => /^(napi|node_api)_/.test(name)).length).toBeGreaterThan(20)
    expect(needed.filter((name) => !/^(napi|node_api)_|@GLIBC_/.test(name))).toEqual([])
  })

  it('needs no libraries but those of libc, and looks for none in odd places', () => {
    const lines = output('objdump', '-p').split('\n')
    const needed = lines.flatMap((line) => /NEEDED\s+(\S+)/.exec(line)?.[1] ?? [])
    expect(needed).toContain('libc.so.6')
    const libc = /^(ld-linux-.*|lib(c|m|dl|pthread|rt))\.so\.\d$/
    expect(needed.filter((name) => !libc.test(name))).toEqual([])
    expect(lines.filter((line) => /RPATH|RUNPATH/.test(line))).toEqual([])
  })

  it('exports the entry points of Node-API and nothing else', () => {
    const names = output('nm', '-D', '--defined-only')
      .split('\n')
      .flatMap((line) => line.split(/\s+/)[2] ?? [])
    expect(names.sort()).toEqual(['napi_register_module_v1', 'node_api_module_get_api_version_v1'])
  })

  it('shares no memory with JavaScript that Electron would refuse', () => {
    const imports = output('nm', '-D', '--undefined-only')
    expect(imports).toMatch(/ napi_create_function/)
    expect(imports).not.toMatch(/napi_create_external_(array)?buffer|node_api_create_external/)
  })

  it(`is stripped, and smaller than ${mostBytes / 1e6} MB before it is packed`, () => {
    expect(output('objdump', '-h')).not.toMatch(/\.debug_|\.symtab/)
    expect(statSync(file).size).toBeLessThan(mostBytes)
  })
})

describe.runIf(currentLibc() === 'glibc' && process.arch === 'x64')('the prebuilt tintype.node', () => {
  it('has instructions of AVX2 and of AVX-512', () => {
    const code = outputOf(addon, 'objdump', '-d', '--no-show-raw-insn')
    for (const register of ['xmm', 'ymm', 'zmm']) {
      expect(code.split(`%${register}`).length, register).toBeGreaterThan(1000)
    }
  })
})
