// The folders of a packed Electron app: app.asar, which only JavaScript can look into, and app.asar.unpacked, which native
// code gets. Electron itself cannot be had from npm's registry. A folder stands in for the archive: there is all of the
// app, but what native code opens is empty in it, so that whoever opens it there fails. (Electron's fs reads unpacked files
// from where they are.)

import { existsSync, readdirSync, readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { fs } from 'zx'
import { currentPlatform } from '../../lib/runtime/platform.ts'
import { expectSuccess } from './outcome.ts'
import { distanceFromExpected, paintingProgram } from './picture.ts'
import { createUser } from './user.ts'

const user = createUser({ registry: inject('registry') })
afterAll(() => user.remove())

/** What docs/packaging.md tells people to name in `asarUnpack`, less sharp's packages, which have a loader of their own. */
const unpacked = ['node_modules/tintype/models', 'node_modules/@tintype']

describe('an Electron app', () => {
  let resources: string
  const platformFile = `node_modules/@tintype/${currentPlatform()}/tintype.node`
  const weights = 'node_modules/tintype/models/default/unet/diffusion_pytorch_model.safetensors'

  beforeAll(async () => {
    resources = user.project()
    const app = user.project({ 'paint.mjs': paintingProgram })
    expectSuccess(await user.run('npm', ['install', 'tintype', '--no-audit'], { cwd: app }))
    await fs.copy(app, join(resources, 'app.asar'))
    for (const folder of unpacked) {
      await fs.copy(join(app, folder), join(resources, 'app.asar.unpacked', folder))
      const files = readdirSync(join(app, folder), { recursive: true, withFileTypes: true })
      for (const file of files.filter(({ name }) => /\.(node|safetensors)$/.test(name))) {
        truncateSync(join(file.parentPath.replace(app, join(resources, 'app.asar')), file.name))
      }
    }
  })

  it('has binary and weights beside the archive alone', () => {
    for (const file of [platformFile, weights]) {
      expect(readFileSync(join(resources, 'app.asar', file)).length).toBe(0)
      expect(readFileSync(join(resources, 'app.asar.unpacked', file)).length).toBeGreaterThan(100_000)
    }
    expect(existsSync(join(resources, 'app.asar.unpacked/node_modules/tintype/dist'))).toBe(false)
  })

  it('makes a picture', async () => {
    const file = join(resources, 'apple.png')
    expectSuccess(await user.run('node', ['app.asar/paint.mjs', file], { cwd: resources }))
    expect(await distanceFromExpected(file)).toBeLessThan(1)
  })

  it('is told where its binary lies', async () => {
    const program = `import { diagnose } from 'tintype'
      const { addons, embeddedModel } = diagnose()
      console.log(JSON.stringify([addons.find(({ state }) => state === 'chosen').file, embeddedModel.folder]))`
    await fs.writeFile(join(resources, 'app.asar/ask.mjs'), program)
    const said = expectSuccess(await user.run('node', ['app.asar/ask.mjs'], { cwd: resources }))
    expect(JSON.parse(said)).toEqual([
      join(resources, 'app.asar.unpacked', platformFile),
      join(resources, 'app.asar.unpacked/node_modules/tintype/models/default'),
    ])
  })
})
