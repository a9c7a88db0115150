// Every error that tintype throws on purpose: one class, a code to switch on, advice to read.

/**
 * What went wrong, as a value that programs can switch on.
 *
 * - `INVALID_ARGUMENT`: an option or argument has a wrong type, range or shape
 * - `UNKNOWN_OPTION`: an option or name that does not exist (the message names the nearest right one)
 * - `MODEL_NOT_FOUND`: a model folder or one of its files is missing or unreadable
 * - `INVALID_CONFIG`: a config.json that is malformed or contradicts itself
 * - `UNSUPPORTED_MODEL`: a valid model that this version cannot run, with the field that says so
 * - `INVALID_WEIGHTS`: a weights file that is damaged, or tensors missing, surplus or misshapen
 * - `INVALID_IMAGE`: bytes that are no picture, or a picture that cannot be used
 * - `ABORTED`: an AbortSignal fired or Ctrl-C was pressed
 * - `OUT_OF_MEMORY`: an allocation failed; the message says what was needed and what was free
 * - `ADDON_NOT_FOUND`: no native binary for this platform could be loaded
 * - `DEVICE_LOST`: a GPU has stopped working (a fault, or it was taken away); only a new process can use it again
 * - `DEVICE_UNAVAILABLE`: the GPU that was asked for is not there or cannot be used; the message says why
 * - `DISPOSED`: a pipeline was used after `dispose()`
 * - `IO`: a file could not be written
 * - `INTERNAL`: a bug in tintype
 */
export type ErrorCode =
  | 'INVALID_ARGUMENT'
  | 'UNKNOWN_OPTION'
  | 'MODEL_NOT_FOUND'
  | 'INVALID_CONFIG'
  | 'UNSUPPORTED_MODEL'
  | 'INVALID_WEIGHTS'
  | 'INVALID_IMAGE'
  | 'ABORTED'
  | 'OUT_OF_MEMORY'
  | 'ADDON_NOT_FOUND'
  | 'DEVICE_LOST'
  | 'DEVICE_UNAVAILABLE'
  | 'DISPOSED'
  | 'IO'
  | 'INTERNAL'

export interface ErrorDetails {
  /** How to mend it, one sentence; appended to the message. */
  readonly advice?: string
  readonly cause?: unknown
}

/**
 * The error type of every public function.
 *
 * @example
 * try {
 *   await generate({ prompt: 'red apple', steps: 0 })
 * } catch (error) {
 *   if (error instanceof TintypeError && error.code === 'INVALID_ARGUMENT') console.error(error.message)
 * }
 */
export class TintypeError extends Error {
  readonly code: ErrorCode
  readonly advice: string | undefined

  constructor(code: ErrorCode, message: string, { advice, cause }: ErrorDetails = {}) {
    super(advice ? `${message} ${advice}` : message, cause === undefined ? undefined : { cause })
    // What fetch and timers/promises reject with on abort is recognised by this name.
    this.name = code === 'ABORTED' ? 'AbortError' : 'TintypeError'
    this.code = code
    this.advice = advice
  }
}
