// Memory for the maps of a picture, up to gigabytes: what one picture has done with, the next one uses, so that nothing waits
// for the garbage collector while more is taken.

import type { Component } from './component.ts'

type Maps = ReturnType<Component['handedOver']>

/** Not kept from being collected. */
const spare = new WeakMap<Component, WeakRef<Maps>>()

/**
 * An array of at least so many elements, in it whatever was there before. To be given back.
 *
 * @throws TintypeError `OUT_OF_MEMORY`
 */
export function takeMaps(component: Component, elements: number): Maps {
  const known = spare.get(component)?.deref()
  spare.delete(component)
  return known && known.length >= elements ? known : component.handedOver(elements)
}

export function giveBackMaps(component: Component, maps: Maps): void {
  spare.set(component, new WeakRef(maps))
}
