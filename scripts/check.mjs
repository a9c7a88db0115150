// What needs no compiler and takes seconds: format, lint, types, generated files fresh, unit tests.
import { $ } from 'zx'

$.verbose = true
await $`node scripts/format.mjs`
await $`npx tsc -p tsconfig.json`
await $`npx tsx scripts/generate-args.ts --check`
await $`npx vitest run --project unit`
