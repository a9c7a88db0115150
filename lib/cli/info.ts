// `tintype info`: the machine as tintype sees it, and the model that would paint.

import { basename } from 'node:path'

export interface InfoFlags {
  readonly model?: string
  readonly json?: boolean
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`

export async function infoCommand({ model, json }: InfoFlags): Promise<void> {
  const { defaultModelFolder, devices, load } = await import('../index.js')
  await using pipeline = await load(model ?? defaultModelFolder)
  const { info } = pipeline
  if (json) {
    console.log(JSON.stringify({ devices: devices(), model: info }))
    return
  }
  for (const { name, description, isa, isas, bf16, cores, threads } of devices()) {
    console.log(`device      ${name}: ${description}`)
    const kernels = `${isa} (of ${isas.join(', ')})${bf16 ? ', multiplies bf16' : ''}`
    console.log(`            ${kernels}, ${threads} threads on ${cores} cores`)
  }
  const { width, height, steps, guidanceScale } = info.defaults
  console.log(
    `model       ${model === undefined ? 'the embedded one' : basename(info.folder)}, ${info.folder}`,
  )
  for (const { name, bytes, dtypes } of info.components) {
    console.log(`            ${name.padEnd(12)} ${megabytes(bytes).padStart(9)}  ${dtypes.join(', ')}`)
  }
  console.log(`defaults    ${width}x${height}, ${steps} steps, guidance ${guidanceScale}, ${info.scheduler}`)
}
