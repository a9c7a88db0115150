// Memory for the maps of a picture, up to gigabytes: one picture at a time has it, and it is given back at once.

import { throwIfAborted } from '../runtime/program.ts'
import type { Component } from './component.ts'

export type Maps = ReturnType<Component['handedOver']>

/** Ends when nobody has maps any more of those that asked so far. */
let allGivenBack: Promise<unknown> = Promise.resolve()

/** Frees the memory of an array, which the garbage collector would do some time: the receiver of the message is gone. */
function free({ buffer }: Maps): void {
  const { port1, port2 } = new MessageChannel()
  port1.postMessage(undefined, [buffer as ArrayBuffer])
  port1.close()
  port2.close()
}

/** Waits for a promise that never rejects, or for the signal. */
async function orAbort(turn: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  let stop = () => {}
  const aborted = new Promise<void>((resolve) => {
    stop = resolve
  })
  signal?.addEventListener('abort', stop)
  if (!signal?.aborted) await Promise.race([turn, aborted])
  signal?.removeEventListener('abort', stop)
  throwIfAborted(signal)
}

/**
 * Runs `work` over an array of so many elements, which is gone when it ends. Generations take turns: devices run one thing
 * after the other, so that several arrays at once would save no time.
 *
 * @throws TintypeError `ABORTED`
 */
export async function withMaps<T>(
  component: Component,
  { elements, signal }: { readonly elements: number; readonly signal: AbortSignal | undefined },
  work: (maps: Maps) => Promise<T>,
): Promise<T> {
  const before = allGivenBack
  let giveBack = () => {}
  const given = new Promise<void>((resolve) => {
    giveBack = resolve
  })
  allGivenBack = before.then(() => given)
  try {
    await orAbort(before, signal)
    const maps = component.untouched(elements)
    try {
      return await work(maps)
    } finally {
      free(maps)
    }
  } finally {
    giveBack()
  }
}
