// Compiled against the packed declarations, never run: each line is a promise to those who write TypeScript. It lies
// in this checkout only as text; the test copies it into a project that has tintype installed.

import {
  type AddonDiagnosis,
  type CudaDiagnosis,
  type DeviceInfo,
  type Diagnosis,
  defaultModelFolder,
  type devices,
  type diagnose,
  type ErrorCode,
  type GenerateEvent,
  type GenerateOptions,
  type GenerateResult,
  type GpuInfo,
  generate,
  type ImageFormat,
  type ImageInput,
  type Latents,
  load,
  Picture,
  type Pipeline,
  type PipelineInfo,
  type Pixels,
  type ProgressEvent,
  parseParameters,
  type RawImage,
  readPngText,
  type SchedulerName,
  type schedulerNames,
  type Timings,
  TintypeError,
} from 'tintype'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
/** An error where the two types differ. */
function same<A, B>(_same: Same<A, B>): void {}

same<typeof generate, (options: GenerateOptions) => Promise<GenerateResult>>(true)
same<Parameters<typeof load>[0], string>(true)
same<Awaited<ReturnType<typeof load>>, Pipeline>(true)
same<typeof defaultModelFolder, string>(true)
same<ReturnType<typeof devices>, DeviceInfo[]>(true)
same<ReturnType<typeof diagnose>, Diagnosis>(true)
same<Diagnosis['addons'], readonly AddonDiagnosis[]>(true)
same<Diagnosis['cuda'], CudaDiagnosis>(true)
same<CudaDiagnosis['gpus'], readonly GpuInfo[]>(true)
same<AddonDiagnosis['state'], 'chosen' | 'usable' | 'refused'>(true)
same<typeof schedulerNames, readonly SchedulerName[]>(true)
same<ImageFormat, 'png' | 'jpeg' | 'webp'>(true)
same<GenerateResult['images'], readonly Picture[]>(true)
same<GenerateResult['seed'], bigint>(true)
same<GenerateResult['timings'], Timings>(true)
same<keyof Timings, 'text' | 'encode' | 'denoise' | 'decode' | 'total'>(true)
same<GenerateEvent['type'], 'stage' | 'step' | 'result'>(true)
same<ProgressEvent['type'], 'stage' | 'step'>(true)
same<TintypeError['code'], ErrorCode>(true)
same<ReturnType<typeof readPngText>, ReadonlyMap<string, string>>(true)

export async function use(): Promise<void> {
  await using pipeline = await load(defaultModelFolder, { threads: 2 })
  same<typeof pipeline.info, PipelineInfo>(true)
  const options: GenerateOptions = { prompt: 'x', seed: 1n, steps: 2, onProgress: (event) => event.elapsedMs }
  const { images } = await pipeline.generate({ ...options, scheduler: undefined })
  const bytes: Buffer = await images[0]!.toBuffer('webp', { quality: 80 })
  const inputs: ImageInput[] = ['a.png', new URL('file:///a.png'), bytes, images[0]!]
  for await (const event of pipeline.stream({ prompt: ['x', 'y'], init: inputs[0] })) {
    if (event.type === 'step') same<typeof event.preview, readonly Picture[] | undefined>(true)
    if (event.type === 'result') same<typeof event.result, GenerateResult>(true)
  }
  const latents: Latents = await pipeline.encodeImage('a.png')
  // What is undefined is left out, to compilers that tell the two apart as well.
  const {
    quality,
    signal,
    max,
    channels,
  }: { quality?: number; signal?: AbortSignal; max?: number; channels?: 4 } = {}
  await images[0]!.toFile('x.jpg', { quality })
  await pipeline.encodePrompt('x', { signal })
  await pipeline.decodeLatents(latents, { signal })
  const init: RawImage = { data: bytes, width: 1, height: 1, channels }
  await pipeline.generate({ prompt: 'x', signal, init, threshold: { percentile: 0.9, max } })
  const pictures: readonly Pixels[] = await pipeline.decodeLatents(latents)
  parseParameters(readPngText(bytes).get('parameters') ?? '').settings.get('Seed')

  // @ts-expect-error a prompt is required
  await generate({ steps: 2 })
  // @ts-expect-error there is no such option
  await generate({ prompt: 'x', stpes: 2 })
  // @ts-expect-error generate() makes them
  new Picture()
  // @ts-expect-error with noUncheckedIndexedAccess there may be none
  images[1].width
  // @ts-expect-error no format
  await images[0]!.toBuffer('gif')
  // @ts-expect-error results are not to be changed
  pictures[0]!.width = 1
  // @ts-expect-error no such code
  new TintypeError('NO_SUCH_CODE', 'x')
}
