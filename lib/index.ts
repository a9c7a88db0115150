// The public API of tintype.

export { type ErrorCode, type ErrorDetails, TintypeError } from './errors.ts'
export type { ImageInput, RawImage } from './image/input.ts'
export { type GenerationParameters, type ParsedParameters, parseParameters } from './image/parameters.ts'
export { type EncodeOptions, type ImageFormat, Picture } from './image/picture.ts'
export { readPngText } from './image/png-text.ts'
export { defaultModelFolder, generate } from './pipelines/default-model.ts'
export type { LoadOptions } from './pipelines/load-options.ts'
export type { ModelDefaults } from './pipelines/options.ts'
export {
  type Latents,
  load,
  type Pipeline,
  type PipelineInfo,
  type Pixels,
} from './pipelines/pipeline.ts'
export type {
  GenerateEvent,
  GenerateOptions,
  GenerateResult,
  ProgressEvent,
  ResultEvent,
  StageEvent,
  StepEvent,
  Timings,
} from './pipelines/types.ts'
export type { GpuInfo } from './runtime/cuda-binding.ts'
export { type DeviceInfo, devices } from './runtime/device.ts'
export { type AddonDiagnosis, type CudaDiagnosis, type Diagnosis, diagnose } from './runtime/diagnose.ts'
export type { NvidiaGpu } from './runtime/nvidia.ts'
export type { DeviceName, GpuPrecision, Precision } from './runtime/target.ts'
export type { SchedulerName } from './schedulers/contract.ts'
export { schedulerNames } from './schedulers/registry.ts'
export { describeGpu, type GpuDescription, type SelfTestOptions, selfTest } from './selftest/public.ts'
export type { CaseReport as SelfTestReport } from './selftest/self-test.ts'
