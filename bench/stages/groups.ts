// Which processes are measured side by side: as many as fit into memory together, tintype always among them.

/**
 * @param own memory of the contender that is in every group
 * @param others what each of the others needs, in their order
 * @param available for all processes at a time
 * @returns the others' indices, group by group; one that does not even fit beside the first alone has a group of its
 *   own, since a need is an estimate
 */
export function groupsThatFit(own: number, others: readonly number[], available: number): number[][] {
  const groups: number[][] = []
  let used = Number.POSITIVE_INFINITY
  for (const [i, need] of others.entries()) {
    if (used + need > available) {
      groups.push([])
      used = own
    }
    groups.at(-1)!.push(i)
    used += need
  }
  return groups.length > 0 ? groups : [[]]
}
