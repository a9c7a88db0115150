// Steps per second of whole generations on a GPU, as a report to paste into an issue.

import { type DeviceName, describeGpu, type GpuDescription, load } from '../lib/index.ts'
import { describeMachine } from './machine.ts'
import { type Column, digits, milliseconds, textTable } from './table.ts'

export interface DeviceRequest {
  readonly device: DeviceName
  readonly precision: 'f16' | 'bf16'
  readonly folder: string
  /** Sides of the pictures. */
  readonly sizes: readonly number[]
  readonly steps: number
  readonly repeats: number
}

export interface DeviceResult {
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
export async function* measureDevice(request: DeviceRequest): AsyncGenerator<DeviceResult, void, void> {
  const { device, precision, folder, sizes, steps, repeats } = request
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
  { title: 'size', of: ({ size }) => `${size}x${size}` },
  { title: 'it/s', of: ({ stepsPerSecond }) => digits(stepsPerSecond) },
  { title: 'step', of: ({ stepMs }) => milliseconds(stepMs) },
  { title: 'decode', of: ({ decodeMs }) => milliseconds(decodeMs) },
  { title: 'picture', of: ({ pictureMs }) => milliseconds(pictureMs) },
  { title: 'first picture', of: ({ firstMs }) => milliseconds(firstMs) },
]

export function deviceReport(
  request: DeviceRequest & { readonly modelName: string; readonly gpu: GpuDescription },
  results: readonly DeviceResult[],
): string {
  const { gpu, modelName, precision, steps, repeats } = request
  const { tintype, commit, node, os, arch, cpu } = describeMachine()
  return [
    `tintype     ${tintype} at ${commit ?? 'no commit'}, Node ${node}`,
    `GPU         ${gpu.name} (${gpu.architecture}${gpu.memoryMiB ? `, ${gpu.memoryMiB} MiB` : ''}), driver ${gpu.driver ?? 'unknown'}`,
    `system      ${os} ${arch}, ${cpu}`,
    `model       ${modelName}, ${precision}, guided, one picture, ${steps} steps, median of ${repeats}`,
    '',
    textTable(columns, results),
    '',
    'SDXL is not measured: this version has no graph for it.',
  ].join('\n')
}

/** Measures and prints. */
export async function benchDevice(
  request: DeviceRequest & { readonly modelName: string },
  note: (line: string) => void,
): Promise<DeviceResult[]> {
  const gpu = describeGpu(request.device)
  const results: DeviceResult[] = []
  for await (const result of measureDevice(request)) {
    note(`${result.size}x${result.size}: ${digits(result.stepsPerSecond)} it/s`)
    results.push(result)
  }
  console.log(deviceReport({ ...request, gpu }, results))
  return results
}
