// Bar charts as SVG: horizontal bars, shorter is better, readable on light and dark pages.

export interface Bar {
  readonly label: string
  readonly value: number
  /** Written at the end of the bar. */
  readonly text: string
  /** Drawn in the colour of what the page is about. */
  readonly ours: boolean
}

export interface Chart {
  readonly title: string
  /** Below the title: units, conditions. */
  readonly note: string
  readonly bars: readonly Bar[]
}

const width = 720
const labelWidth = 180
const textWidth = 130
const barHeight = 22
const gap = 10
const top = 64

const style = `
    text { font: 14px system-ui, sans-serif; fill: #1f2328 }
    .title { font-size: 17px; font-weight: 600 }
    .note { font-size: 12px; fill: #59636e }
    .bar { fill: #8c959f }
    .ours { fill: #0969da }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc }
      .note { fill: #9198a1 }
      .bar { fill: #656c76 }
      .ours { fill: #4493f8 }
    }`

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escaped = (text: string) => text.replace(/[&<>"]/g, (char) => escapes[char]!)

function drawBar({ label, value, text, ours }: Bar, i: number, longest: number): string {
  const y = top + i * (barHeight + gap)
  const length = Math.max(1, (value / longest) * (width - labelWidth - textWidth))
  const middle = y + barHeight / 2 + 5
  return `
  <text x="${labelWidth - 10}" y="${middle}" text-anchor="end">${escaped(label)}</text>
  <rect class="${ours ? 'ours' : 'bar'}" x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" rx="3"/>
  <text x="${(labelWidth + length + 8).toFixed(1)}" y="${middle}">${escaped(text)}</text>`
}

/** @throws RangeError where a value is no length to draw: a chart never hides a number that is not one */
export function drawChart({ title, note, bars }: Chart): string {
  const bad = bars.find(({ value }) => !(value > 0 && Number.isFinite(value)))
  if (bad || bars.length === 0) {
    throw new RangeError(`${title}: ${bad ? `${bad.label} is ${bad.value}` : 'there is nothing to draw'}.`)
  }
  const longest = Math.max(...bars.map(({ value }) => value))
  const height = top + bars.length * (barHeight + gap) + 6
  const spoken = bars.map(({ label, text }) => `${label} ${text}`).join(', ')
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(`${title}: ${spoken}`)}">
  <style>${style}
  </style>
  <text class="title" x="10" y="26">${escaped(title)}</text>
  <text class="note" x="10" y="46">${escaped(note)}</text>${bars.map((bar, i) => drawBar(bar, i, longest)).join('')}
</svg>
`
}
