// What the evaluation accepts on its command line.

import { expect, it } from 'vitest'
import { defaultModelFolder } from '../../../lib/pipelines/default-model.ts'
import { parseOptions } from '../../../models/default/evaluate/options.ts'

const available = { originals: 973, pairs: 1096 }

it('measures everything by default', () => {
  expect(parseOptions([], available)).toEqual({
    model: defaultModelFolder,
    precision: undefined,
    guidance: undefined,
    steps: undefined,
    guidanceInterval: undefined,
    cacheInterval: undefined,
    tokenMerging: undefined,
    pictures: 973,
    names: 200,
    pairs: 100,
    prompts: 8,
  })
})

it('takes what is given', () => {
  const args =
    '--model m --precision int8 --guidance 2.5 --guidance-interval 0.2,1 --cache-interval 3 --token-merging 0.5 --steps 10 --names=60 --pairs 7 --pictures 5 --prompts 1'.split(
      ' ',
    )
  expect(parseOptions(args, available)).toEqual({
    model: 'm',
    precision: 'int8',
    guidance: 2.5,
    guidanceInterval: [0.2, 1],
    cacheInterval: 3,
    tokenMerging: 0.5,
    steps: 10,
    pictures: 5,
    names: 60,
    pairs: 7,
    prompts: 1,
  })
})

it.each([
  ['--nmaes 5', 'UNKNOWN_OPTION', '"nmaes"'],
  ['folder', 'UNKNOWN_OPTION', '"folder"'],
  ['--names', 'INVALID_ARGUMENT', '--names needs a value'],
  ['--names 974', 'INVALID_ARGUMENT', '1 to 973, got "974"'],
  ['--names 0', 'INVALID_ARGUMENT', '"0"'],
  ['--pairs 1.5', 'INVALID_ARGUMENT', '"1.5"'],
  ['--guidance-interval 0.5', 'INVALID_ARGUMENT', 'such as 0.2,0.8'],
  ['--guidance-interval 0,0.5,1', 'INVALID_ARGUMENT', 'such as 0.2,0.8'],
  ['--cache-interval 0', 'INVALID_ARGUMENT', '1 to 1000'],
  ['--token-merging 0.8', 'INVALID_ARGUMENT', 'from 0 to 0.75'],
  ['--precision f16', 'INVALID_ARGUMENT', 'must be int8 or bf16, got "f16"'],
  ['--guidance much', 'INVALID_ARGUMENT', '"much"'],
])('refuses %s', (args, code, words) => {
  expect(() => parseOptions(args.split(' '), available)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(words) }),
  )
})
