// Whether PTX is compiled for every architecture that the kernels tell apart.

import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const cmake = readFileSync('cmake/cuda-kernels.cmake', 'utf8')
const compiled = /set\(ptx_architectures ([\d ]+)\)/.exec(cmake)![1]!.split(' ').map(Number)

const sources = readdirSync('kernels/cuda').filter((file) => /\.cuh?$/.test(file))

// Without it, an architecture would run what was compiled for one below.
it.each(sources)('%s asks for no other', (file) => {
  const source = readFileSync(`kernels/cuda/${file}`, 'utf8')
  const asked = [...source.matchAll(/__CUDA_ARCH(?:_FEAT_SM(\d+)_ALL|\w*(?: >= (\d+)0\b)?)/g)]
  for (const [text, feature, architecture] of asked) {
    expect(compiled, text).toContain(Number(feature ?? architecture))
  }
})
