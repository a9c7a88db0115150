// The merges of byte-pair encoding and their ranks, as merges.txt and tokenizer.json list them: the best first.

import { TintypeError } from '../errors.ts'
import { show } from '../show.ts'

/** Two tokens with a space between -> the rank of their merge, 0 the best. */
export type Merges = ReadonlyMap<string, number>

/** `where` names the line or the entry, for messages. */
function checkMerge(merge: string, where: string): void {
  const space = merge.indexOf(' ')
  if (space < 1 || space === merge.length - 1 || merge.includes(' ', space + 1)) {
    throw new TintypeError('INVALID_CONFIG', `${where}: expected two tokens, got ${show(merge)}.`)
  }
}

/** @param text merges.txt: a merge a line, under a line that may name the version */
export function parseMerges(text: string, path: string): Merges {
  const merges = new Map<string, number>()
  text.split('\n').forEach((raw, index) => {
    const line = raw.trimEnd()
    if (line === '' || (index === 0 && line.startsWith('#version'))) return
    checkMerge(line, `${path}:${index + 1}`)
    merges.set(line, merges.size)
  })
  return merges
}

/** @param list `model.merges` of tokenizer.json: pairs of tokens, in older files `"left right"` */
export function listMerges(list: readonly unknown[], path: string): Merges {
  const merges = new Map<string, number>()
  list.forEach((entry, index) => {
    const where = `${path}: model.merges.${index}`
    const tokens: readonly unknown[] = Array.isArray(entry) && entry.length === 2 ? entry : [entry]
    if (!tokens.every((token) => typeof token === 'string')) {
      const got = show(entry)
      throw new TintypeError('INVALID_CONFIG', `${where}: expected two tokens, got ${got}.`)
    }
    const merge = tokens.join(' ')
    checkMerge(merge, where)
    merges.set(merge, merges.size)
  })
  return merges
}
