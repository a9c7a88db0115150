// Loads a native module in a child process, where a crash hurts nobody.

import { spawnSync } from 'node:child_process'

/** A device as the module lists it: a DeviceInfo, or a GpuInfo of the CUDA backend. */
export type ProbedDevice = Readonly<Record<string, unknown>>

export type ProbeResult =
  /** `problem`: why it lists no devices: no driver, say, or the environment asks for what they do not have. */
  | { readonly loads: true; readonly devices: readonly ProbedDevice[]; readonly problem?: string }
  | { readonly loads: false; readonly reason: string }

const script = `
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

/** Whether the addon loads and names its devices; takes as long as Node takes to start. */
export function probe(file: string): ProbeResult {
  // Electron's program is a Node only when asked to be.
  const env = { ...process.env, ELECTRON_RUN_AS_NODE: '1' }
  const { error, signal, status, stdout } = spawnSync(process.execPath, ['-e', script, file], {
    encoding: 'utf8',
    env,
    timeout: 20_000,
    windowsHide: true,
  })
  if (error)
    return {
      loads: false,
      reason: `could not be tested: ${process.execPath} did not start (${error.message})`,
    }
  if (signal) return { loads: false, reason: `ends the process that loads it (${signal})` }
  try {
    return JSON.parse(stdout) as ProbeResult
  } catch {
    return { loads: false, reason: `ends the process that loads it (exit code ${status})` }
  }
}
