// The addon as it is, for child processes and workers that run without TypeScript.
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const built = fileURLToPath(new URL('../../../build/Release/tintype.node', import.meta.url))

export const loadAddon = () => createRequire(import.meta.url)(process.env.TINTYPE_ADDON ?? built)
