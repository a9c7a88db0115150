// Makes the tarballs of a release, in build/packages: the main package, one for each prebuilt binary that lies in
// build/prebuilt/<platform>/, and the CUDA backend where one was compiled.
// usage: npm run pack:all [-- --no-build] [-- --all-platforms]

import { parseArgs } from 'node:util'
import { pack } from './pack.ts'
import { prebuild } from './prebuild.ts'

const { values } = parseArgs({
  options: {
    'no-build': { type: 'boolean', default: false },
    'all-platforms': { type: 'boolean', default: false },
  },
})

if (!values['no-build']) await prebuild()
const { tarballs, absent } = await pack({ requireAll: values['all-platforms'] })
for (const { name, megabytes, budget } of tarballs) {
  console.log(`${megabytes.toFixed(2).padStart(8)} MB of ${String(budget).padStart(2)}  ${name}`)
}
for (const name of absent) console.log(`  not packed  ${name}: no binary of it is here`)
