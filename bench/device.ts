// Steps per second of whole generations on a GPU, as a report to paste into an issue.

import {
  type DeviceName,
  describeGpu,
  type GpuDescription,
  type GpuPrecision,
  load,
  TintypeError,
} from '../lib/index.ts'
import { describeMachine } from './machine.ts'
import { type Column, digits, milliseconds, textTable } from './table.ts'

/** A model, and the sides of the pictures that it paints. */
export interface DeviceModel {
  readonly name: string
  readonly folder: string
  readonly sizes: readonly number[]
}

export interface DeviceRequest {
  readonly device: DeviceName
  readonly precision: GpuPrecision
  readonly steps: number
  readonly repeats: number
}

export interface DeviceResult {
  readonly model: string
  readonly size: number
  /** Guided steps, each the UNet on two. */
  readonly stepsPerSecond: number
  readonly stepMs: number
  readonly decodeMs: number
  readonly pictureMs: number
  /** The first picture: reading, packing and sending weights, loading kernels. */
  readonly firstMs: number
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!

/** One size after the other. Kernels run one by one at first and are captured at the second step: neither is measured. */
export async function* measureDevice(
  { name, folder, sizes }: DeviceModel,
  { device, precision, steps, repeats }: DeviceRequest,
): AsyncGenerator<DeviceResult, void, void> {
  await using pipeline = await load(folder, { device, precision })
  for (const size of sizes) {
    const paint = async (count: number) => {
      const options = {
        prompt: 'a lighthouse at dusk',
        seed: 1,
        guidanceScale: 7.5,
        width: size,
        height: size,
      }
      return (await pipeline.generate({ ...options, steps: count })).timings
    }
    const first = await paint(2)
    // Text encoder and decoder are captured when they run for the second time.
    await paint(1)
    const measured = []
    for (let i = 0; i < repeats; i++) measured.push(await paint(steps))
    const stepMs = median(measured.map(({ denoise }) => denoise / steps))
    yield {
      model: name,
      size,
      stepsPerSecond: 1000 / stepMs,
      stepMs,
      decodeMs: median(measured.map(({ decode }) => decode)),
      pictureMs: median(measured.map(({ total }) => total)),
      firstMs: first.total,
    }
  }
}

const columns: readonly Column<DeviceResult>[] = [
  { title: 'model', align: 'left', of: ({ model }) => model },
  { title: 'size', of: ({ size }) => `${size}x${size}` },
  { title: 'it/s', of: ({ stepsPerSecond }) => digits(stepsPerSecond) },
  { title: 'step', of: ({ stepMs }) => milliseconds(stepMs) },
  { title: 'decode', of: ({ decodeMs }) => milliseconds(decodeMs) },
  { title: 'picture', of: ({ pictureMs }) => milliseconds(pictureMs) },
  { title: 'first picture', of: ({ firstMs }) => milliseconds(firstMs) },
]

export function deviceReport(
  { gpu, precision, steps, repeats }: DeviceRequest & { readonly gpu: GpuDescription },
  results: readonly DeviceResult[],
  failures: readonly string[],
): string {
  const { tintype, commit, node, os, arch, cpu } = describeMachine()
  return [
    `tintype     ${tintype} at ${commit ?? 'no commit'}, Node ${node}`,
    `GPU         ${gpu.name} (${gpu.architecture}${gpu.memoryMiB ? `, ${gpu.memoryMiB} MiB` : ''}), driver ${gpu.driver ?? 'unknown'}`,
    `system      ${os} ${arch}, ${cpu}`,
    `measured    ${precision}, guided, one picture, ${steps} steps, median of ${repeats}`,
    '',
    textTable(columns, results),
    ...(failures.length > 0 ? ['', ...failures] : []),
    '',
    "SDXL's shapes are those of its UNet and autoencoder; its second text encoder and its embeddings of sizes are not there.",
  ].join('\n')
}

/** Measures and prints. A model that does not fit into the GPU's memory is told of, and the others are measured. */
export async function benchDevice(
  models: AsyncIterable<DeviceModel>,
  request: DeviceRequest,
  note: (line: string) => void,
): Promise<DeviceResult[]> {
  const gpu = describeGpu(request.device)
  const results: DeviceResult[] = []
  const failures: string[] = []
  for await (const model of models) {
    try {
      for await (const result of measureDevice(model, request)) {
        note(`${result.model}, ${result.size}x${result.size}: ${digits(result.stepsPerSecond)} it/s`)
        results.push(result)
      }
    } catch (error) {
      if (!(error instanceof TintypeError && error.code === 'OUT_OF_MEMORY')) throw error
      failures.push(`${model.name}: ${error.message}`)
    }
  }
  console.log(deviceReport({ ...request, gpu }, results, failures))
  return results
}
