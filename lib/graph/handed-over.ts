// What one graph of a component hands to another, as the name of its output and the other's input tells: nobody else looks
// at it, so that it keeps the type that the device computes in.

const prefix = 'handed over: '

export const handedOver = (what: string) => `${prefix}${what}`
export const isHandedOver = (name: string) => name.startsWith(prefix)
