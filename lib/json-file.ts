// Reading the JSON files of a model folder: small, from outside, sometimes as only Python writes them.

import { TintypeError } from './errors.ts'
import { readRegularFile } from './regular-file.ts'

/** A config.json is a few kilobytes; the largest one known (a pipeline's index) is below 100. */
const MAX_JSON_BYTES = 4 * 2 ** 20

/** Python's json writes NaN and Infinity bare (`"lambda_min_clipped": -Infinity`); JSON.parse accepts neither. */
function quoteBareNumbers(text: string): string {
  // A string without an end goes to that of the text: sought again from each quote in it, a few megabytes would take hours.
  return text.replace(/"(?:[^"\\]+|\\.)*"?|-?\bInfinity\b|\bNaN\b/g, (token) => {
    if (token.startsWith('"')) return token
    if (token === 'NaN') return 'null'
    return token.startsWith('-') ? '-1e999' : '1e999'
  })
}

function unreadable(path: string, reason: string, cause?: unknown): TintypeError {
  return new TintypeError('MODEL_NOT_FOUND', `${path} cannot be read (${reason}).`, {
    advice: 'Is this the folder of a Stable Diffusion model in diffusers layout, fully downloaded?',
    ...(cause !== undefined && { cause }),
  })
}

/**
 * Parses a JSON file of a model. A bare `Infinity`, as Python writes it, is the number; a bare `NaN` is null.
 *
 * @throws TintypeError MODEL_NOT_FOUND when the file cannot be read, INVALID_CONFIG when it is no JSON
 */
export async function readJson(path: string): Promise<unknown> {
  let text: string
  try {
    const bytes = await readRegularFile(path, {
      mostBytes: MAX_JSON_BYTES,
      tooLarge: (size) =>
        new TintypeError('INVALID_CONFIG', `${path}: ${size} bytes is no model configuration.`),
      notAFile: () => unreadable(path, 'it is no regular file'),
    })
    text = bytes.toString()
  } catch (cause) {
    if (cause instanceof TintypeError) throw cause
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
    throw unreadable(path, reason, cause)
  }
  try {
    return JSON.parse(quoteBareNumbers(text.replace(/^\uFEFF/, '')))
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new TintypeError('INVALID_CONFIG', `${path} is no valid JSON: ${reason}.`, { cause })
  }
}
