// Prints what devices() gives in this environment, or its error.
import { loadAddon } from './addon.mjs'

try {
  console.log(JSON.stringify({ devices: loadAddon().devices() }))
} catch ({ code, message }) {
  console.log(JSON.stringify({ code, message }))
}
