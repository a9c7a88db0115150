// A copy of the sources with a build of its own, in which mutants live one after the other.

import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { apply, type Hunt, type Mutant } from './mutant.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const folder = join(root, 'build/mutants')
const tree = join(folder, 'tree')
const built = join(tree, 'build')
const pristine = join(folder, 'pristine')

const copied = [
  ...['kernels', 'native', 'lib', 'test', 'scripts', 'cmake'],
  ...['package.json', 'tsconfig.json', 'vitest.config.ts'],
]
const linked = ['node_modules', 'models', 'build/Release', 'bench']

export interface TestRun {
  readonly passed: number
  readonly failed: number
  /** The first failure, or what else the run ended with. */
  readonly message: string
}

/** A kernel that never ends is a failure too. */
const longestRun = 30 * 60_000

/** Without the folders of this machine, which say nothing elsewhere. */
const firstLines = (text: string) =>
  text.replaceAll(`${tree}/`, '').replaceAll(root, '').trim().split('\n').slice(0, 2).join(' ').slice(0, 300)

/** The kernels that the tests run. */
const kernelsFor = ({ kernels, architecture = 80, precision = 'f16' }: Hunt): string =>
  kernels?.map((name) => `sm_${architecture}/${precision}/${name}.ptx`).join(',') ?? `ptx_sm_${architecture}`

/** Runs tests of the workplace until one fails. */
export function runTests(hunt: Hunt): TestRun {
  const { files, title, architecture = 80, precision = 'f16' } = hunt
  const report = join(folder, 'report.json')
  rmSync(report, { force: true })
  const env = {
    ...process.env,
    TINTYPE_CUDA: 'ON',
    TINTYPE_PTX_ARCHITECTURES: String(architecture),
    TINTYPE_PTX_ELEMENTS: precision === 'f16' ? 'f16' : `f16,${precision}`,
    TINTYPE_PTX_KERNELS: kernelsFor(hunt),
  }
  // A busy machine is no bug that was caught.
  const patience = ['--testTimeout=1800000', '--hookTimeout=1800000']
  const args = [
    'run',
    '--project',
    'ptx',
    '--bail=1',
    '--reporter=json',
    `--outputFile=${report}`,
    ...patience,
  ]
  const { error, status, signal, stdout, stderr } = spawnSync(
    'npx',
    ['vitest', ...args, ...(title ? ['-t', title] : []), ...files],
    { cwd: tree, encoding: 'utf8', env, maxBuffer: 2 ** 26, timeout: longestRun, killSignal: 'SIGKILL' },
  )
  if (error) return { passed: 0, failed: 1, message: `did not end: ${error.message}` }
  if (!existsSync(report)) {
    // The global setup failed: the mutant does not compile. Or a worker crashed.
    const compiles = !/ failed\n|Error: cmake/.test(stdout + stderr)
    return { passed: 0, failed: compiles ? 1 : 0, message: firstLines(signal ?? (stderr || stdout)) }
  }
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8')) as {
    readonly numPassedTests: number
    readonly numFailedTests: number
    readonly testResults: readonly {
      readonly status: string
      readonly message: string
      readonly assertionResults: readonly { readonly failureMessages: readonly string[] }[]
    }[]
  }
  const messages = testResults.flatMap(({ assertionResults, message }) => [
    ...assertionResults.flatMap(({ failureMessages }) => failureMessages),
    ...(message ? [message] : []),
  ])
  const broken = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  )
  // A worker that died takes its tests with it.
  const crashed = status !== 0 && numFailedTests + broken.length === 0 ? 1 : 0
  return {
    passed: numPassedTests,
    failed: numFailedTests + broken.length + crashed,
    message: firstLines(messages[0] ?? stderr),
  }
}

/** Copies the sources anew and builds them for these architectures. */
export function prepare(architectures: readonly number[]): void {
  mkdirSync(join(tree, 'build'), { recursive: true })
  // Times are kept, so that what was built from the same sources before is not built again.
  for (const path of copied) {
    const { status } = spawnSync('rsync', ['-a', '--delete', join(root, path), `${tree}/`])
    if (status !== 0) {
      rmSync(join(tree, path), { recursive: true, force: true })
      cpSync(join(root, path), join(tree, path), { recursive: true, preserveTimestamps: true })
    }
  }
  for (const path of linked)
    if (!existsSync(join(tree, path))) symlinkSync(join(root, path), join(tree, path))
  for (const architecture of architectures) {
    const { failed, passed, message } = runTests({
      files: ['test/ptx/interpreter.test.ts'],
      title: 'says where',
      architecture,
    })
    if (failed > 0 || passed === 0) throw new Error(`The tests fail without any mutant: ${message}`)
  }
  restore('save')
}

/** Copies what was built to where it is safe, or back. */
function restore(direction: 'save' | 'load'): void {
  const [from, to] = direction === 'save' ? [built, pristine] : [pristine, built]
  mkdirSync(to, { recursive: true })
  for (const part of ['ptx', 'cuda-kernels']) {
    rmSync(join(to, part), { recursive: true, force: true })
    const { status } = spawnSync('cp', ['-a', join(from, part), to])
    if (status !== 0) throw new Error(`${join(from, part)} could not be copied to ${to}`)
  }
}

/** Runs the tests with the bug in place, and takes it away again. */
export function runMutant(mutant: Mutant): TestRun {
  const path = join(tree, mutant.file)
  const original = readFileSync(path, 'utf8')
  const { atime, mtime } = statSync(path)
  writeFileSync(path, apply(mutant, original))
  try {
    return runTests(mutant)
  } finally {
    writeFileSync(path, original)
    // As old as before: what was built from it is newer.
    utimesSync(path, atime, mtime)
    restore('load')
  }
}
