// Makes dist/ of a package: one file for the API, one for the command line and chunks for what is shared or rarely
// needed, since Node takes 0.2 s to find and compile 230 small files; declarations beside them.
// What others made is under their licences, which are put beside it: of packages that are bundled, or compiled into the
// addon, and of what the embedded model came from.
// usage: node scripts/dist.mjs [FOLDER]
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const folder = resolve(process.argv[2] ?? root)
const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'))

/** The packages that the inputs of a bundle come from: name -> folder. */
function packagesOf(inputs) {
  const found = new Map()
  for (const file of inputs) {
    const [, above, name] = /^(.*node_modules\/)((?:@[^/]+\/)?[^/]+)\//.exec(file) ?? []
    if (name) found.set(name, join(folder, above, name))
  }
  return found
}

function licenceOf(name, at) {
  const file = readdirSync(at).find((entry) => /^licen[cs]e/i.test(entry))
  if (!file) throw new Error(`${name} has no licence to put beside the bundle.`)
  return `${name} ${readJson(join(at, 'package.json')).version}\n\n${readFileSync(join(at, file), 'utf8').trim()}\n`
}

rmSync(join(folder, 'dist'), { recursive: true, force: true })
const require = createRequire(import.meta.url)
const tsc = require.resolve('typescript/bin/tsc')
const { status } = spawnSync(process.execPath, [tsc, '-p', join(folder, 'tsconfig.build.json')], {
  stdio: 'inherit',
})
if (status !== 0) process.exit(status ?? 1)

const { dependencies } = readJson(join(folder, 'package.json'))
const { metafile } = await build({
  absWorkingDir: folder,
  entryPoints: ['lib/index.ts', 'lib/cli/main.ts'],
  outbase: 'lib',
  outdir: 'dist',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: Object.keys(dependencies),
  sourcemap: true,
  sourcesContent: false,
  metafile: true,
  logLevel: 'warning',
})
const packages = packagesOf(Object.keys(metafile.inputs))
packages.set('node-addon-api', dirname(require.resolve('node-addon-api/package.json')))
const licences = [...packages].sort().map((one) => licenceOf(...one))
licences.push(readFileSync(join(root, 'models/default/THIRD-PARTY-LICENCES.txt'), 'utf8'))
writeFileSync(join(folder, 'dist', 'THIRD-PARTY-LICENCES.txt'), licences.join('\n\n'))
