// The built command line as a shell sees it: exit codes, what goes to stdout and stderr, Ctrl-C.

import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseParameters, readPngText } from '../../lib/index.ts'
import { openGolden } from '../golden/pipelines.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const main = join(root, 'dist/cli/main.js')
const { folder: model } = openGolden('sd1')
const tiny = ['--model', model, '--size', '64x48', '--steps', '3', '--seed', '7']

let folder: string
beforeAll(async () => {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
  folder = await mkdtemp(join(tmpdir(), 'tintype-cli-'))
})
afterAll(() => rm(folder, { recursive: true }))

interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the command in the test's folder; `interrupt` sends Ctrl-C when stderr first says that. */
function tintype(
  args: readonly string[],
  { stdin = '', interrupt }: { stdin?: string; interrupt?: string } = {},
) {
  const child = spawn(process.execPath, [main, ...args], { cwd: folder })
  child.stdin.end(stdin)
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (data) => {
    stdout += data
  })
  child.stderr.on('data', (data) => {
    const before = stderr
    stderr += data
    if (interrupt && stderr.includes(interrupt) && !before.includes(interrupt)) child.kill('SIGINT')
  })
  return new Promise<Outcome>((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })))
}

describe('tintype', () => {
  it('explains itself', async () => {
    const { code, stdout } = await tintype(['--help'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/Usage: tintype \[options\] <prompts\.\.\.>/)
    expect(stdout).toContain('Exit codes')
    // What a model's folder may say is no number of ours.
    const words = stdout.replace(/\s+/g, ' ')
    expect(words).toMatch(/steps \(default: the model's, or 20\).*off \(default: the model's, or 7\.5\)/)
    const { stdout: version } = await tintype(['--version'])
    expect(version).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it.each([
    [['help'], /Usage: tintype \[options\] <prompts\.\.\.>/],
    [['help', 'selftest'], /Usage: tintype selftest /],
  ])('explains itself to those who ask by %j', async (args, expected) => {
    const { code, stdout } = await tintype(args)
    expect(code).toBe(0)
    expect(stdout).toMatch(expected)
  })

  it.each(['doctr', 'doctor', 'help'])('paints "%s" where it comes after --', async (word) => {
    const { code, stdout } = await tintype([...tiny, '--quiet', '--', word])
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${word}-7.png\n` })
  })

  it.each(['hip', 'bulb', 'doctor at work'])('paints "%s", which is no command', async (prompt) => {
    const { code } = await tintype([prompt, ...tiny, '--quiet', '-o', 'x.png'])
    expect(code).toBe(0)
  })

  it('paints a picture: the path to stdout, progress to stderr', async () => {
    const { code, stdout, stderr } = await tintype(['a red apple', ...tiny, '-o', 'apple.png'])
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'apple.png\n' })
    expect(stderr).toMatch(/step 3\/3/)
    const text = readPngText(await readFile(join(folder, 'apple.png'))).get('parameters')!
    expect(parseParameters(text)).toMatchObject({ prompt: 'a red apple' })
    expect(parseParameters(text).settings.get('Seed')).toBe('7')
  })

  it('paints with the embedded model when no other is named', async () => {
    const { code, stdout } = await tintype(['red apple', '--steps', '2', '--seed', '1', '--json', '-q'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout).images).toMatchObject([{ path: 'red-apple-1.png', width: 128, height: 128 }])
  })

  it('paints for whoever reads no progress', async () => {
    const child = spawn(process.execPath, [main, ...tiny, 'unread'], { cwd: folder })
    child.stderr.destroy()
    const code = await new Promise((resolve) => child.on('close', resolve))
    expect({ code, painted: existsSync(join(folder, 'unread-7.png')) }).toEqual({ code: 0, painted: true })
  })

  it('ends by Ctrl-C while it waits for a prompt', async () => {
    const child = spawn(process.execPath, [main, ...tiny, '-'], { cwd: folder })
    // More than a pipe holds: when it is gone, somebody reads.
    child.stdin.write('word '.repeat(200_000), () => child.kill('SIGINT'))
    child.stdin.on('error', () => undefined)
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(130)
  })

  it('reads the prompt from stdin, numbers several pictures, prints JSON', async () => {
    const args = ['-', ...tiny, '--count', '2', '--json', '--quiet']
    const { code, stdout, stderr } = await tintype(args, { stdin: 'a fox\n' })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { images } = JSON.parse(stdout)
    expect(images).toMatchObject([
      { path: 'a-fox-7-1.png', width: 64, height: 48, seed: '7' },
      { path: 'a-fox-7-2.png' },
    ])
    expect(await readdir(folder)).toContain('a-fox-7-2.png')
  })

  it.each<[string[], number, RegExp]>([
    [[], 2, /missing required argument 'prompts'\ntintype --help lists/],
    [['info', '--jsno'], 2, /unknown option '--jsno'[\s\S]*--json[\s\S]*tintype --help lists/],
    [
      ['doctr', ...tiny],
      2,
      /no command "doctr"\. Did you mean "tintype doctor"\? To paint it: tintype -- doctr/,
    ],
    [['hlep', ...tiny], 2, /Did you mean "tintype help"/],
    [['version', ...tiny], 2, /Did you mean "tintype --version"/],
    [['-', ...tiny], 2, /Expected a prompt on stdin/],
    [['x', '--stpes', '3'], 2, /unknown option '--stpes'[\s\S]*--steps/],
    [['x', '--seed', 'many'], 2, /Expected an integer/],
    [['x', '--model', model, '--steps', '0'], 2, /Option steps must be an integer/],
    [['x', '--model', model, '--scheduler', 'eular'], 2, /euler/],
    [['x', '--precision', 'int4'], 2, /int8/],
    [['x', '--device', 'cuda', '--precision', 'int8'], 2, /int8" is for the CPU, not for cuda/],
    [['x', '-o', 'x.gif'], 2, /no picture format/],
    [['x', '--model', 'nowhere'], 1, /cannot be read/],
    [['x', '--model', model, '--init', 'none.png'], 1, /does not exist/],
    // Before anything else is loaded or painted.
    [['x', '--model', 'nowhere', '-o', 'no/such/x.png'], 1, /there is no folder no\/such \(ENOENT\)/],
  ])('refuses %j', async (args, expected, message) => {
    const { code, stdout, stderr } = await tintype(args)
    expect({ code, stdout }).toEqual({ code: expected, stdout: '' })
    expect(stderr).toMatch(message)
    expect(stderr).toMatch(/^tintype: /)
    expect(stderr).not.toContain('    at ')
  })

  it('tells programs of errors in JSON', async () => {
    const { code, stdout } = await tintype(['x', '--model', 'nowhere', '--json'])
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'MODEL_NOT_FOUND' } })
  })

  it.runIf(existsSync('/dev/full'))('says so where nothing can be written to stdout', () => {
    const full = openSync('/dev/full', 'w')
    const { status, stderr } = spawnSync(process.execPath, [main, 'info'], {
      stdio: ['ignore', full, 'pipe'],
    })
    closeSync(full)
    expect(status).toBe(1)
    expect(String(stderr)).toBe('tintype: nothing can be written to stdout (ENOSPC).\n')
  })

  it('ends cleanly on Ctrl-C', async () => {
    const args = ['x', '--model', model, '--size', '64', '--steps', '900', '-o', 'never.png']
    const { code, stdout, stderr } = await tintype(args, { interrupt: 'step 90/900' })
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' })
    expect(stderr).toMatch(/aborted/i)
    expect((await readdir(folder)).filter((name) => name.startsWith('never'))).toEqual([])
  })

  it('shows the machine and the model', async () => {
    const { code, stdout } = await tintype(['info', '--model', model])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^device +cpu/)
    expect(stdout).toMatch(/unet +0\.3 MB +F16/)
    const { stdout: json } = await tintype(['info', '--model', model, '--json'])
    expect(JSON.parse(json)).toMatchObject({
      devices: [{ name: 'cpu' }],
      model: { scheduler: 'DDIMScheduler' },
    })
  })
})
