// A process that is measured, and the runner's end of the protocol.

import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { BenchError } from '../errors.ts'
import type { Hello, Job } from './protocol.ts'

/** What a process printed last, for the message when it fails. */
const keptOutput = 4000

/** The libraries below that ask the environment instead of their caller. */
const threadVariables = ['OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'TINTYPE_THREADS']

export class PeerProcess {
  readonly name: string
  readonly #child: ChildProcess
  readonly #replies: AsyncIterator<string>
  readonly #ended: Promise<void>
  #output = ''

  constructor(name: string, [command, ...args]: readonly [string, ...string[]], threads: number) {
    this.name = name
    this.#child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...Object.fromEntries(threadVariables.map((key) => [key, String(threads)])) },
    })
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', () => resolve())
      this.#child.once('error', (error) => {
        this.#keep(error.message)
        resolve()
      })
    })
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.on('data', (chunk: Buffer) => this.#keep(chunk.toString()))
    }
    // Writing to a process that has died is told by its missing reply.
    this.#child.stdin!.on('error', () => {})
    const lines = createInterface({ input: this.#child.stdio[3] as Readable })
    this.#replies = lines[Symbol.asyncIterator]()
  }

  hello(): Promise<Hello> {
    return this.#reply()
  }

  async export(job: Job): Promise<void> {
    await this.#request({ export: job })
  }

  prepare(job: Job): Promise<{ readonly loadMs: number }> {
    return this.#request({ prepare: job })
  }

  async run(): Promise<number> {
    return (await this.#request<{ readonly ms: number }>({ run: true })).ms
  }

  async save(): Promise<void> {
    await this.#request({ save: true })
  }

  /** Most memory that the process has had at a time; undefined where the system does not tell (it is Linux's word). */
  peakRss(): number | undefined {
    if (process.platform !== 'linux') return undefined
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8')
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
  }

  /** Waits until the process has ended and its memory is free. */
  async end(): Promise<void> {
    this.#child.stdin!.end()
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), 10_000)
    await this.#ended
    clearTimeout(kill)
  }

  #request<T>(message: object): Promise<T> {
    this.#child.stdin!.write(`${JSON.stringify(message)}\n`)
    return this.#reply()
  }

  async #reply<T>(): Promise<T> {
    const { value, done } = await this.#replies.next()
    if (done) {
      await this.#ended
      const { signalCode, exitCode } = this.#child
      throw this.#failure(signalCode === null ? `ended with ${exitCode}` : `was ended by ${signalCode}`)
    }
    const reply = JSON.parse(value) as T & { readonly error?: string }
    if (reply.error !== undefined) throw this.#failure(reply.error)
    return reply
  }

  #failure(reason: string): BenchError {
    return new BenchError(`${this.name}: ${reason}.`, `It printed: ${this.#output.trim() || '(nothing)'}`)
  }

  #keep(text: string): void {
    this.#output = (this.#output + text).slice(-keptOutput)
  }
}
