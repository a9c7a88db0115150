// The prebuilt Linux binary from outside: what it asks of the system that loads it, and what it shows to it.

import { execFileSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { currentLibc } from '../../lib/runtime/platform.ts'

const addon = join(inject('prebuilt'), 'tintype.node')
const cudaAddon = join(inject('prebuilt'), 'tintype_cuda.node')
const outputOf = (file: string, program: string, ...args: string[]) =>
  execFileSync(program, [...args, file], { encoding: 'utf8', maxBuffer: 1 << 26 })
const output = (program: string, ...args: string[]) => outputOf(addon, program, ...args)

/** Whether version a comes before version b. */
function before(a: string, b: string): boolean {
  const [x, y] = [a, b].map((version) => version.split('.').map(Number))
  for (let i = 0; i < Math.max(x!.length, y!.length); i++) {
    if ((x![i] ?? 0) !== (y![i] ?? 0)) return (x![i] ?? 0) < (y![i] ?? 0)
  }
  return false
}

describe.runIf(currentLibc() === 'glibc')('the prebuilt binary', () => {
  it('asks for no symbol that glibc 2.17 lacks', () => {
    const versions = [...output('objdump', '-T').matchAll(/GLIBC_([0-9.]+)/g)].map((match) => match[1]!)
    expect(versions.length).toBeGreaterThan(50)
    expect([...new Set(versions)].filter((version) => before('2.17', version))).toEqual([])
    expect(before('2.17', '2.28') && !before('2.17', '2.2.5') && !before('2.17', '2.17')).toBe(true)
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

  it('is stripped, and smaller than 5 MB before it is packed', () => {
    expect(output('objdump', '-h')).not.toMatch(/\.debug_|\.symtab/)
    expect(statSync(addon).size).toBeLessThan(5e6)
  })

  it.runIf(process.arch === 'x64')('has instructions of AVX2 and of AVX-512', () => {
    const code = output('objdump', '-d', '--no-show-raw-insn')
    for (const register of ['xmm', 'ymm', 'zmm']) {
      expect(code.split(`%${register}`).length, register).toBeGreaterThan(1000)
    }
  })
})

describe.runIf(existsSync(cudaAddon))('the prebuilt CUDA backend', () => {
  it('asks for no symbol that glibc 2.17 lacks, and for no library but libc and its parts', () => {
    const versions = [...outputOf(cudaAddon, 'objdump', '-T').matchAll(/GLIBC_([0-9.]+)/g)].map(
      (match) => match[1]!,
    )
    expect([...new Set(versions)].filter((version) => before('2.17', version))).toEqual([])
    const needed = [...outputOf(cudaAddon, 'objdump', '-p').matchAll(/NEEDED\s+(\S+)/g)].map(
      (match) => match[1]!,
    )
    expect(needed.filter((name) => !/^(ld-linux-.*|lib(c|m|dl|pthread|rt))\.so\.\d$/.test(name))).toEqual([])
  })

  it('exports the entry points of Node-API and nothing else', () => {
    const names = outputOf(cudaAddon, 'nm', '-D', '--defined-only')
      .split('\n')
      .flatMap((line) => line.split(/\s+/)[2] ?? [])
    expect(names.sort()).toEqual(['napi_register_module_v1', 'node_api_module_get_api_version_v1'])
  })

  it('loads on every machine, and says why it has no GPU', () => {
    const script = `try { console.log(require(process.argv[1]).devices().length, 'GPUs') } catch (error) { console.log(error.code) }`
    const said = execFileSync(process.execPath, ['-e', script, cudaAddon], { encoding: 'utf8' })
    expect(said).toMatch(/^(DEVICE_UNAVAILABLE|\d+ GPUs)$/m)
  })
})
