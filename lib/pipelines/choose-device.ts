// Where a pipeline computes, from what the user asks for: one device, several of a kind, or the best that can be trusted.

import { TintypeError } from '../errors.ts'
import { devices } from '../runtime/device.ts'
import { type DeviceName, gpus, type Precision, type Target, targetOf } from '../runtime/target.ts'

export interface DeviceOptions {
  readonly device?: DeviceName | 'auto' | readonly DeviceName[] | undefined
  readonly precision?: Precision | undefined
}

export interface ChosenDevices {
  readonly targets: readonly Target[]
  /** Why it is not a GPU, where `auto` would have taken one. */
  readonly note: string | undefined
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

/** The CPU in place of a GPU: in bf16 where that is wanted and it multiplies so, else in float32, and told where it was not. */
function cpuFor(precision: Precision | undefined, reason: string): ChosenDevices {
  if (precision !== 'bf16') return { targets: [targetOf({})], note: reason }
  if (devices()[0]!.bf16) return { targets: [targetOf({ precision })], note: reason }
  const other = `${reason.replace(/\.$/, '')}: the CPU computes in float32, for it does not multiply in bf16.`
  return { targets: [targetOf({})], note: other }
}

/** A GPU as a target, or why it is not to be trusted. */
async function trusted(device: DeviceName, precision: Precision | undefined): Promise<Target | string> {
  try {
    const target = targetOf({ device, precision })
    // Late: its cases are numbers by the hundred thousand, made while it loads.
    const { distrust } = await import('../selftest/self-test.js')
    const failure = await distrust(target, `${target.name} ${target.precision}`)
    return failure === undefined ? target : `${target.name} failed its self-test: ${failure}`
  } catch (error) {
    return reasonOf(error)
  }
}

/** The first GPU that computes what it must; the CPU where there is none, or for int8, with the reasons. */
async function automatic(precision: Precision | undefined): Promise<ChosenDevices> {
  if (precision === 'int8')
    return { targets: [targetOf({ precision })], note: 'Precision "int8" is for the CPU.' }
  const reasons: string[] = []
  try {
    for (const { name } of gpus()) {
      const tried = await trusted(name as DeviceName, precision)
      if (typeof tried !== 'string') return { targets: [tried], note: undefined }
      reasons.push(tried)
    }
  } catch (error) {
    reasons.push(reasonOf(error))
  }
  return cpuFor(precision, reasons.join(' '))
}

/**
 * What the options mean on this machine.
 *
 * @throws TintypeError `INVALID_ARGUMENT`; `DEVICE_UNAVAILABLE` with the reason, where a device is named that cannot
 */
export async function chooseDevices({ device, precision }: DeviceOptions): Promise<ChosenDevices> {
  if (device === 'auto') return automatic(precision)
  if (!Array.isArray(device)) {
    return { targets: [targetOf({ device: device as DeviceName, precision })], note: undefined }
  }
  const targets = device.map((name) => targetOf({ device: name, precision }))
  const names = targets.map(({ name }) => name)
  const kinds = new Set(targets.map(({ precision: kind }) => kind))
  if (names.length === 0 || new Set(names).size < names.length || kinds.size > 1) {
    throw new TintypeError(
      'INVALID_ARGUMENT',
      `device: expected different GPUs, such as ["cuda:0", "cuda:1"], got [${device.join(', ')}].`,
    )
  }
  return { targets, note: undefined }
}
