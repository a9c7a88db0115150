import { describe, expect, it } from 'vitest'
import { PeerProcess } from '../../bench/peers/process.ts'
import type { Job } from '../../bench/peers/protocol.ts'

const job: Job = {
  ...{
    stage: 'text',
    model: '',
    size: 64,
    batch: 1,
    threads: 3,
    arithmetic: 'f32',
    inputs: {},
    output: '',
    cache: '',
    python: '',
  },
}

/** A driver in a line: `reply` sees the request. */
const driver = (hello: string, reply = '{}') =>
  new PeerProcess(
    'peer',
    [
      process.execPath,
      '-e',
      `const answer = (message) => require('fs').writeSync(3, JSON.stringify(message) + '\\n')
      console.log('chatter')
      ${hello}
      require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
        const request = JSON.parse(line)
        ${reply}
      })`,
    ],
    3,
  )

describe('a measured process', () => {
  it('answers beside what its libraries print', async () => {
    const peer = driver(
      `answer({ version: process.env.OMP_NUM_THREADS })`,
      `console.log('more'); answer(request.run ? { ms: 7 } : { loadMs: request.prepare.threads })`,
    )
    expect(await peer.hello()).toEqual({ version: '3' })
    expect(await peer.prepare(job)).toEqual({ loadMs: 3 })
    expect(await peer.run()).toBe(7)
    if (process.platform === 'linux') expect(peer.peakRss()).toBeGreaterThan(1e7)
    await peer.end()
  })

  it('tells what is missing', async () => {
    const peer = driver(`answer({ missing: 'no module' }); process.exit()`)
    expect(await peer.hello()).toEqual({ missing: 'no module' })
    await peer.end()
  })

  it('tells what failed, with what was printed', async () => {
    const peer = driver(`answer({ version: '1' })`, `answer({ error: 'out of luck' })`)
    await peer.hello()
    await expect(peer.run()).rejects.toThrow(/peer: out of luck\. It printed: chatter/)
    await peer.end()
  })

  it('tells when it has died', async () => {
    const peer = driver(`answer({ version: '1' })`, `process.kill(process.pid, 'SIGKILL')`)
    await peer.hello()
    await expect(peer.run()).rejects.toThrow('peer: was ended by SIGKILL.')
    await peer.end()
  })

  it('tells when it cannot be started', async () => {
    const peer = new PeerProcess('peer', ['/no/such/program'], 1)
    await expect(peer.hello()).rejects.toThrow('ENOENT')
    await peer.end()
  })
})
