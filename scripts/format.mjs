// Formats (--write) or checks every source file: biome for TypeScript, clang-format for C++ and CUDA.
import { $, glob } from 'zx'

$.verbose = true
const write = process.argv.includes('--write')
const native = await glob(['native/**/*.{cc,h}', 'kernels/**/*.{cc,h,cu,cuh}', 'test/**/*.{cc,h}'], {
  ignore: ['**/*.gen.h'],
})
await $`npx biome check ${write ? ['--write'] : []} .`
if (native.length > 0) await $`npx clang-format ${write ? ['-i'] : ['--dry-run', '-Werror']} ${native}`
