// Rows as text: aligned for terminals, or as Markdown.

export interface Column<Row> {
  readonly title: string
  readonly align?: 'left' | 'right'
  readonly of: (row: Row) => string
}

const cellsOf = <Row>(columns: readonly Column<Row>[], rows: readonly Row[]) => [
  columns.map(({ title }) => title),
  ...rows.map((row) => columns.map(({ of }) => of(row))),
]

export function textTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = cellsOf(columns, rows)
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => line[i]!.length)))
  const lines = cells.map((line) =>
    line
      .map((cell, i) => (columns[i]!.align === 'left' ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  )
  return lines.join('\n')
}

export function markdownTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const [head, ...body] = cellsOf(columns, rows).map((line) => `| ${line.join(' | ')} |`)
  const rule = `| ${columns.map(({ align }) => (align === 'left' ? '---' : '---:')).join(' | ')} |`
  return [head, rule, ...body].join('\n')
}

/** Three significant digits, without exponents. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  const magnitude = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)))
  return value.toFixed(Math.max(0, 2 - magnitude))
}

export const milliseconds = (ms: number): string =>
  ms < 10000 ? `${digits(ms)} ms` : `${digits(ms / 1000)} s`

export const percent = (share: number): string => `${(share * 100).toFixed(0)} %`

export const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`
