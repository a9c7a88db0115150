// Loads a native module in a child process, where a crash hurts nobody.

import { spawnSync } from 'node:child_process'

/** A device as the module lists it: a DeviceInfo, or a GpuInfo of the CUDA backend. */
export type ProbedDevice = Readonly<Record<string, unknown>>

export type ProbeResult =
  /** `problem`: why it lists no devices: no driver, say, or the environment asks for what they do not have. */
  | { readonly loads: true; readonly devices: readonly ProbedDevice[]; readonly problem?: string }
  | { readonly loads: false; readonly reason: string }

/**
 * Set in the child, which may be no Node but the app itself: an Electron without its fuse `RunAsNode`, a packed program.
 * That would test in turn, and so on without end.
 */
const variable = 'TINTYPE_PROBE'

// What comes first tells a Node that the module ended from a program that is none; it is written at once, whatever follows.
const script = `
require('node:fs').writeSync(1, '\\ntintype:' + process.version + '\\n')
let result
try {
  const addon = require(process.argv[1])
  result = { loads: true, devices: [] }
  result.devices = addon.devices()
} catch (error) {
  const message = String(error.message).split('\\n')[0]
  if (result) result.problem = message
  else result = { loads: false, reason: message }
}
process.stdout.write(JSON.stringify(result))`
const started = /^tintype:v\d.*\n/m

const untested = (why: string): ProbeResult => ({ loads: false, reason: `could not be tested: ${why}` })

/** Whether starting the program again would run the app in it; Electron without its fuse `RunAsNode` does not tell. */
const isSingleExecutable = () => process.getBuiltinModule('node:sea')?.isSea() ?? false

/** Whether the addon loads and names its devices; takes as long as Node takes to start. */
export function probe(file: string): ProbeResult {
  const program = process.execPath
  if (process.env[variable]) {
    return untested(`${variable} is set, so that ${program} was started for such a test, and is no Node`)
  }
  if (isSingleExecutable()) return untested(`${program} is a single executable, which does not run as Node`)
  // Electron's program is a Node only when asked to be.
  const env = { ...process.env, ELECTRON_RUN_AS_NODE: '1', [variable]: '1' }
  const { error, signal, status, stdout } = spawnSync(program, ['-e', script, file], {
    encoding: 'utf8',
    env,
    timeout: 20_000,
    windowsHide: true,
  })
  const end = error?.message ?? signal ?? `exit code ${status}`
  const [, answer] = (stdout ?? '').split(started)
  if (answer === undefined) return untested(`${program} did not run as Node (${end})`)
  if (error) return untested(end)
  try {
    return JSON.parse(answer) as ProbeResult
  } catch {
    return { loads: false, reason: `ends the process that loads it (${end})` }
  }
}
