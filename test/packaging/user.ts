// A user's machine: an empty home, and a PATH that holds Node, npm and a shell, but no compiler, CMake or Python.

import { type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** npm runs `sh`, the shebangs of programs name `env`. */
const programs = ['node', 'npm', 'npx', 'sh', 'env'] as const

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

export interface User {
  readonly folder: string
  readonly home: string
  /** An empty project to install into. */
  project(files?: Readonly<Record<string, string>>): string
  run(program: string, args: readonly string[], options?: RunOptions): Promise<Outcome>
  remove(): void
}

function pathOf(program: string): string {
  const { stdout } = spawnSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' })
  if (!stdout.trim()) throw new Error(`The tests need ${program} in PATH.`)
  return stdout.trim()
}

/** Makes one; every call has a home and a PATH of its own. */
export function createUser({ registry }: { registry: string }): User {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'tintype-user-')))
  const [home, path] = [join(folder, 'home'), join(folder, 'bin')]
  for (const created of [home, path]) mkdirSync(created)
  for (const program of programs) {
    symlinkSync(program === 'node' ? process.execPath : realpathSync(pathOf(program)), join(path, program))
  }
  const environment = {
    HOME: home,
    PATH: path,
    npm_config_registry: registry,
    npm_config_update_notifier: 'false',
  }
  let projects = 0
  return {
    folder,
    home,
    project(files = {}) {
      const created = join(folder, `project-${projects++}`)
      mkdirSync(created)
      writeFileSync(join(created, 'package.json'), '{ "private": true }')
      for (const [name, text] of Object.entries(files)) writeFileSync(join(created, name), text)
      return created
    },
    run(program, args, { cwd = folder, env = {} } = {}) {
      const options: SpawnOptions = {
        cwd,
        env: { ...environment, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      }
      const child = spawn(program, args, options)
      let [stdout, stderr] = ['', '']
      child.stdout!.on('data', (data) => {
        stdout += data
      })
      child.stderr!.on('data', (data) => {
        stderr += data
      })
      return new Promise((done, fail) => {
        child.on('error', fail)
        child.on('close', (code) => done({ code, stdout, stderr }))
      })
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
