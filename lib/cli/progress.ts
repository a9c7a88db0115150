// Progress on stderr: one line that redraws itself on a terminal, a few plain lines elsewhere.

import type { ProgressEvent, StepEvent } from '../index.ts'

const stageNames = {
  text: 'reading the prompt',
  encode: 'reading the picture',
  denoise: 'denoising',
  decode: 'decoding',
}

/** `0.4 s`, `12 s`, `3:05` */
export function formatSeconds(ms: number): string {
  const seconds = ms / 1000
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  if (seconds < 99.5) return `${Math.round(seconds)} s`
  const whole = Math.round(seconds)
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}

/** Time that the remaining steps will take, if they go on as those since the first. */
function remaining({ step, steps, elapsedMs }: StepEvent, denoiseBegan: number): number {
  return ((elapsedMs - denoiseBegan) / step) * (steps - step)
}

/** `[#####-----] 10/20  0.52 s/step  5.2 s left`, no wider than the terminal. */
export function formatStep(event: StepEvent, denoiseBegan: number, columns: number): string {
  const { step, steps, elapsedMs } = event
  const perStep = ((elapsedMs - denoiseBegan) / step / 1000).toPrecision(2)
  const text = ` ${step}/${steps}  ${perStep} s/step  ${formatSeconds(remaining(event, denoiseBegan))} left`
  const width = Math.min(40, columns - text.length - 3)
  if (width < 4) return text.slice(1, columns)
  const done = Math.round((width * step) / steps)
  return `[${'#'.repeat(done)}${'-'.repeat(width - done)}]${text}`
}

export interface Progress {
  readonly report: (event: ProgressEvent) => void
  /** Leaves a clean line behind. */
  readonly end: () => void
}

export const silent: Progress = { report: () => {}, end: () => {} }

export interface Terminal {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** On a terminal: the line is drawn over itself. */
function liveProgress(terminal: Terminal): Progress {
  let denoiseBegan = 0
  const draw = (text: string) => terminal.write(`\r\x1b[K${text}`)
  return {
    report(event) {
      if (event.type === 'stage') {
        denoiseBegan = event.elapsedMs
        draw(`${stageNames[event.stage]}...`)
      } else {
        // A terminal that does not know its width says 0.
        draw(formatStep(event, denoiseBegan, terminal.columns || 80))
      }
    },
    end: () => draw(''),
  }
}

/** In a log: about ten lines, however many steps. */
function plainProgress(terminal: Terminal): Progress {
  let denoiseBegan = 0
  return {
    report(event) {
      if (event.type === 'stage') {
        denoiseBegan = event.elapsedMs
        return
      }
      const every = Math.ceil(event.steps / 10)
      if (event.step % every !== 0 && event.step !== event.steps) return
      terminal.write(
        `step ${event.step}/${event.steps}, ${formatSeconds(event.elapsedMs)} so far, ` +
          `${formatSeconds(remaining(event, denoiseBegan))} left\n`,
      )
    },
    end: () => {},
  }
}

export const progressOn = (terminal: Terminal): Progress =>
  terminal.isTTY ? liveProgress(terminal) : plainProgress(terminal)
