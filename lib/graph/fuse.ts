// Fusion as a table of rules: a node swallows the one that feeds it when nobody else needs the value between.

import type { Graph, Node, ValueId } from './graph.ts'
import { gatedColumns } from './ops/linear.ts'
import { countReads, readsOf, writesOf } from './uses.ts'

/** Merges `producer`, whose output `consumer` reads as `operand`, into one node; undefined when it does not fit. */
interface Rule {
  readonly name: string
  readonly merge: (producer: Node, consumer: Node, operand: string) => Node | undefined
}

const isMatrixOp = (node: Node) => node.op === 'linear' || node.op === 'conv2d'

/** `producer` with the output of `consumer` in place of its own. */
const continued = (producer: Node, consumer: Node, change: Partial<Node>): Node => ({
  ...producer,
  ...change,
  operands: { ...producer.operands, ...change.operands, y: consumer.operands.y! },
})

export const rules: readonly Rule[] = [
  {
    name: 'activation',
    merge(producer, consumer) {
      if (consumer.op !== 'activation' || producer.params.activation !== 'none') return undefined
      if (producer.operands.residual !== undefined) return undefined
      const params = { ...producer.params, activation: consumer.params.activation! }
      return continued(producer, consumer, { params })
    },
  },
  {
    name: 'row bias',
    merge(producer, consumer, operand) {
      if (consumer.op !== 'addRowBias' || operand !== 'x' || producer.op !== 'conv2d') return undefined
      if (producer.params.activation !== 'none' || producer.operands.rowBias !== undefined) return undefined
      if (producer.operands.residual !== undefined) return undefined
      return continued(producer, consumer, {
        dims: { ...producer.dims, rows: consumer.dims.rows! },
        operands: { rowBias: consumer.operands.rowBias! },
      })
    },
  },
  {
    name: 'residual',
    merge(producer, consumer, operand) {
      if (consumer.op !== 'add' || !isMatrixOp(producer)) return undefined
      if (producer.operands.residual !== undefined) return undefined
      const other = consumer.operands[operand === 'a' ? 'b' : 'a']!
      return continued(producer, consumer, { operands: { residual: other } })
    },
  },
  {
    name: 'geglu',
    merge(producer, consumer) {
      if (producer.op !== 'linear' || consumer.op !== 'geglu') return undefined
      const { m, k } = producer.dims
      const { n, n2 } = consumer.dims
      if (producer.params.activation !== 'none' || producer.operands.residual !== undefined) return undefined
      if (n! % gatedColumns !== 0) return undefined
      return {
        op: 'linearGeglu',
        dims: { m: m!, n: n!, n2: n2!, k: k! },
        operands: { ...producer.operands, y: consumer.operands.y! },
        params: { eps: 0, algorithm: 'direct' },
      }
    },
  },
  {
    name: 'upsample',
    merge(producer, consumer, operand) {
      if (producer.op !== 'upsample' || consumer.op !== 'conv2d' || operand !== 'x') return undefined
      const { h, w, ho, wo } = producer.dims
      if (consumer.params.upsample !== 1 || ho !== 2 * h! || wo !== 2 * w!) return undefined
      return {
        ...consumer,
        dims: { ...consumer.dims, h: h!, w: w! },
        operands: { ...consumer.operands, x: producer.operands.x! },
        params: { ...consumer.params, upsample: 2 },
      }
    },
  },
]

/**
 * Applies every rule wherever it fits. The merged node stands where the consumer stood, so that everything it
 * reads has been written; of two possible producers the later one is swallowed.
 *
 * @param except names of rules to leave out, for devices that lack what they make
 */
export function fuse(graph: Graph, { except = [] }: { readonly except?: readonly string[] } = {}): Graph {
  const applied = rules.filter(({ name }) => !except.includes(name))
  const reads = countReads(graph)
  const nodes: (Node | undefined)[] = [...graph.nodes]
  const producerOf = new Map<ValueId, number>()

  const tryMerge = (consumer: Node): { node: Node; swallowed: number } | undefined => {
    const producers = readsOf(consumer)
      .flatMap(({ name, value }) => {
        const index = producerOf.get(value)
        return index !== undefined && reads.get(value) === 1 ? [{ name, index }] : []
      })
      .sort((a, b) => b.index - a.index)
    for (const { name, index } of producers) {
      for (const rule of applied) {
        const node = rule.merge(nodes[index]!, consumer, name)
        if (node) return { node, swallowed: index }
      }
    }
    return undefined
  }

  for (let i = 0; i < nodes.length; i++) {
    for (let merged = tryMerge(nodes[i]!); merged; merged = tryMerge(nodes[i]!)) {
      nodes[i] = merged.node
      nodes[merged.swallowed] = undefined
    }
    for (const { value } of writesOf(nodes[i]!)) producerOf.set(value, i)
  }
  return { ...graph, nodes: nodes.filter((node) => node !== undefined) }
}
