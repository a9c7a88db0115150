// ONNX Runtime on the CPU, from Node.js, with a model exported at the benchmark's shapes.

import { execFileSync } from 'node:child_process'
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const exporter = fileURLToPath(new URL('../python/export.py', import.meta.url))
const answer = (message) => writeSync(3, `${JSON.stringify(message)}\n`)

/** The model lies in a folder of its own, with its weights beside it. */
const folderOf = ({ cache, stage, size, batch }) => join(cache, `${stage}-${size}-${batch}`, 'onnx')

function exportModel(job) {
  const folder = folderOf(job)
  if (existsSync(folder)) return
  // Under another name until it is whole.
  const partial = `${folder}-partial`
  rmSync(partial, { recursive: true, force: true })
  mkdirSync(partial, { recursive: true })
  writeFileSync(join(partial, 'job.json'), JSON.stringify(job))
  const args = [exporter, 'onnx', join(partial, 'job.json'), join(partial, 'model.onnx')]
  execFileSync(job.python, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  renameSync(partial, folder)
}

function readTensor(Tensor, { file, dtype, shape }) {
  const bytes = readFileSync(file)
  const aligned = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)
  return dtype === 'i32'
    ? new Tensor('int64', BigInt64Array.from(new Int32Array(aligned), BigInt), shape)
    : new Tensor('float32', new Float32Array(aligned), shape)
}

async function serve({ InferenceSession, Tensor }) {
  let job
  let session
  let feeds
  let results
  const requests = {
    export(asked) {
      exportModel(asked)
      return { exported: true }
    },
    async prepare(asked) {
      job = asked
      const begin = performance.now()
      session = await InferenceSession.create(join(folderOf(job), 'model.onnx'), {
        executionProviders: ['cpu'],
        graphOptimizationLevel: 'all',
        intraOpNumThreads: job.threads,
        interOpNumThreads: 1,
      })
      feeds = Object.fromEntries(
        Object.entries(job.inputs).map(([name, array]) => [name, readTensor(Tensor, array)]),
      )
      return { loadMs: performance.now() - begin }
    },
    async run() {
      const begin = performance.now()
      results = await session.run(feeds)
      return { ms: performance.now() - begin }
    },
    save() {
      writeFileSync(job.output, results.output.data)
      return { saved: true }
    },
  }
  for await (const line of createInterface({ input: createReadStream('', { fd: 0 }) })) {
    const [[name, argument]] = Object.entries(JSON.parse(line))
    try {
      answer(await requests[name](argument))
    } catch (error) {
      answer({ error: String(error.stack) })
    }
  }
}

async function loadRuntime() {
  try {
    return (await import('onnxruntime-node')).default
  } catch (error) {
    answer({ missing: error.message.split('\n')[0] })
    return undefined
  }
}

const runtime = await loadRuntime()
if (runtime) {
  answer({ version: `onnxruntime-node ${runtime.env.versions.node}` })
  await serve(runtime)
}
