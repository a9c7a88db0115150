// `tintype doctor`: what tintype found on this machine, what it refused and why, and what to do.

import type { AddonDiagnosis, Diagnosis } from '../index.ts'

export interface DoctorFlags {
  readonly json?: boolean
}

const signs = { chosen: '✓', usable: '·', refused: '✗' } as const

function addonLine({ name, state, reason, isas }: AddonDiagnosis): string {
  const detail = reason ?? [state, isas.join(', ')].filter((part) => part).join(': ')
  return `${signs[state]} ${name}: ${detail}`
}

/** The report: a line for each thing, its name first. */
export function formatDiagnosis(found: Diagnosis): string {
  const lines: string[] = []
  const say = (name: string, ...values: readonly string[]) => {
    for (const [i, value] of values.entries()) lines.push(`${(i === 0 ? name : '').padEnd(12)}${value}`)
  }
  const { version, node, platform, prebuilt, addons, devices, gpus, gpuNote, cuda } = found
  const { embeddedModel, environment } = found
  say('tintype', `${version}, Node ${node}`)
  say('platform', `${platform}${prebuilt ? '' : ', which has no prebuilt binary'}`)
  say('addon', ...addons.map(addonLine))
  for (const { name, description, isa, isas, bf16, cores, threads } of devices) {
    const kernels = `${isa} of ${isas.join(', ')}${bf16 ? ', multiplies bf16' : ''}`
    say('device', `${name}: ${description}`, `${kernels}; ${threads} threads on ${cores} cores`)
  }
  if (devices.length === 0) say('device', 'none')
  say(
    'GPU',
    ...(gpuNote ? [gpuNote] : gpus.map((gpu) => `${gpu.name}, ${gpu.memoryMiB} MiB, driver ${gpu.driver}`)),
  )
  say('CUDA', ...cuda.addons.map(addonLine))
  if (cuda.addons.length === 0) say('CUDA', `there is no backend for ${platform}`)
  for (const { name, description, isa, memory } of cuda.gpus) {
    say('device', `${name}: ${description}, ${isa}, ${(memory / 2 ** 30).toFixed(1)} GiB`)
  }
  say(
    'models',
    embeddedModel
      ? `embedded: ${(embeddedModel.bytes / 1e6).toFixed(1)} MB in ${embeddedModel.folder}`
      : 'embedded: missing',
    'others: folders that you name; nothing is downloaded or cached',
  )
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
  if (variables.length > 0) say('environment', ...variables)
  say('to do', ...(found.advice.length > 0 ? found.advice : ['nothing, all is well']))
  return lines.join('\n')
}

/** Prints the report; the exit code is 1 when no picture could be made. */
export async function doctorCommand({ json }: DoctorFlags): Promise<void> {
  const { diagnose } = await import('../index.js')
  const found = diagnose()
  console.log(json ? JSON.stringify(found) : formatDiagnosis(found))
  if (found.devices.length === 0) process.exitCode = 1
}
