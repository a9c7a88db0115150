import { defineConfig } from 'vitest/config'

// `unit` needs no compiled addon; every other group runs against it.
const group = (name: string) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout: 120_000, hookTimeout: 120_000 },
})

export default defineConfig({
  test: {
    projects: ['unit', 'kernels', 'models', 'native', 'pipelines'].map(group),
    coverage: { provider: 'v8', include: ['lib/**'], reporter: ['text-summary', 'json-summary'] },
  },
})
