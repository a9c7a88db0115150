// Words of the command line to values of the API. Ranges are the API's business; here only what is no number at all.

import { InvalidArgumentError } from 'commander'
import type { LoadOptions } from '../index.ts'

export function parseNumber(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Expected a number.')
  return value
}

/** Seeds go beyond what a number holds. */
export function parseSeed(text: string): bigint {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Expected an integer from 0 to 2^64 - 1.')
  return BigInt(text)
}

export interface Size {
  readonly width: number
  readonly height: number
}

/** `512` for a square, `640x384` for width by height. */
export function parseSize(text: string): Size {
  const match = /^(\d{1,6})(?:[x×](\d{1,6}))?$/i.exec(text)
  if (!match) throw new InvalidArgumentError('Expected WIDTHxHEIGHT, such as 512x512, or one number.')
  const width = Number(match[1])
  return { width, height: match[2] === undefined ? width : Number(match[2]) }
}

/** `0.995`, or percentile and largest bound as `0.995,2`. */
export function parseThreshold(text: string): { readonly percentile: number; readonly max?: number } {
  const [percentile, max, ...rest] = text.split(',').map(parseNumber)
  if (rest.length > 0) throw new InvalidArgumentError('Expected PERCENTILE or PERCENTILE,MAX.')
  return { percentile: percentile!, ...(max !== undefined && { max }) }
}

/** `0.2,0.8`; whether the shares are right is for the API to say. */
export function parseInterval(text: string): readonly [number, number] {
  const [from, to, ...rest] = text.split(',').map(parseNumber)
  if (to === undefined || rest.length > 0)
    throw new InvalidArgumentError('Expected FROM,TO, such as 0.2,0.8.')
  return [from!, to]
}

/** `auto`, `on` or `off`. */
export function parseSwitch(text: string): 'auto' | boolean {
  if (text === 'auto') return text
  if (text === 'on' || text === 'off') return text === 'on'
  throw new InvalidArgumentError('Expected auto, on or off.')
}

/** `cuda:0,cuda:1` is a list; whether the names are right is for the API to say. */
export function parseDevice(text: string): LoadOptions['device'] {
  return (text.includes(',') ? text.split(',') : text) as LoadOptions['device']
}
