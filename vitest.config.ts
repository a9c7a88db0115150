import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'

// `unit` needs no compiled addon; every other group runs against it.
const group = (name: string) => ({
  test: {
    ...{ name, include: [`test/${name}/**/*.test.ts`], testTimeout: 120_000, hookTimeout: 120_000 },
    ...{ maxWorkers: 1, sequence: { groupOrder: 2 } },
  },
})

// Most of the time goes into references and into the interpreter, on one core each. The other groups have the machine for
// themselves, for they look at how soon things happen and at memory.
const onAllCores = <T extends ReturnType<typeof group>>({ test, ...rest }: T) => ({
  ...rest,
  test: { ...test, maxWorkers: availableParallelism(), sequence: { groupOrder: 1 } },
})

// Compiles, packs and installs what is published before its tests run.
const packaging = {
  test: {
    ...group('packaging').test,
    globalSetup: 'test/packaging/setup.ts',
    testTimeout: 240_000,
    fileParallelism: false,
  },
}

// The interpreted CUDA device, which is built before its tests where there is nvcc. It runs the cases of the CPU kernels:
// their `check` comes from a harness of its own.
const ptx = {
  resolve: { alias: [{ find: './harness.ts', replacement: resolve('test/ptx/harness.ts') }] },
  test: {
    ...group('ptx').test,
    include: ['test/ptx/**/*.test.ts', 'test/kernels/{linear,conv2d,ops,token-merging}.test.ts'],
    globalSetup: 'test/ptx/build.ts',
    hookTimeout: 600_000,
  },
}

export default defineConfig({
  test: {
    projects: [
      ...['unit', 'kernels'].map(group).map(onAllCores),
      onAllCores(ptx),
      ...['models', 'native', 'pipelines'].map(group),
      packaging,
    ],
    coverage: { provider: 'v8', include: ['lib/**'], reporter: ['text-summary', 'json-summary'] },
  },
})
