// Work that several devices share: one thing after the other on each, all of them at once.

/** Rejects only when no lane is at work any more: what they write to stays theirs until then. */
export async function inLanes(lanes: number, work: (lane: number) => Promise<void>): Promise<void> {
  const ends = await Promise.allSettled(Array.from({ length: lanes }, (_, lane) => work(lane)))
  const failed = ends.find((end) => end.status === 'rejected')
  if (failed) throw failed.reason
}
