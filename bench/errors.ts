// What goes wrong in a benchmark and what to do about it.

/** A benchmark that cannot be run as asked; the message ends with what to do. */
export class BenchError extends Error {
  constructor(message: string, advice: string) {
    super(`${message} ${advice}`)
    this.name = 'BenchError'
  }
}
