// What needs no compiler and takes seconds: format, lint, types, generated files fresh. Unit tests too, unless
// --static.
import { $ } from 'zx'

$.verbose = true
await $`node scripts/format.mjs`
await $`npx tsc -p tsconfig.json`
await $`npx tsx scripts/generate-args.ts --check`
if (!process.argv.includes('--static')) await $`npx vitest run --project unit`
