// The sticky share-out where members are subscribed to different topics, as a flow of
// partitions from topics to members: the loads are as even as the subscriptions allow, and
// of all share-outs that are so even it is one in which the most stays where it is.
//
//   topic ──(0 up to what the member holds of it, 1 beyond: a partition that moves)──▶ member ──(load² first of all)──▶
//
// Partitions are added one by one, each along the cheapest path; a path may take partitions
// of another topic away from a member and give them to the next. That keeps the flow the
// cheapest for what has been added so far (successive shortest paths).
// Pure. Takes partitions × (subscriptions of all members) steps, some times over.

const UNREACHED = Number.POSITIVE_INFINITY

export interface FlowProblem {
  /** By topic: how many partitions. */
  readonly counts: readonly number[]
  /** By member: the topics it is subscribed to. */
  readonly subscriptions: readonly (readonly number[])[]
  /** By member, by topic: how many of its partitions it holds; 0 for one that it is not subscribed to. */
  readonly held: readonly (readonly number[])[]
}

/** By member, by topic: how many partitions it gets. A topic without subscribers is left out. */
export function balancedFlow({ counts, subscriptions, held }: FlowProblem): number[][] {
  const topicCount = counts.length
  const memberCount = subscriptions.length
  const given = subscriptions.map(() => new Array<number>(topicCount).fill(0))
  const loads = new Array<number>(memberCount).fill(0)
  const subscribers: number[][] = counts.map(() => [])
  for (const [member, topics] of subscriptions.entries()) for (const topic of topics) subscribers[topic]!.push(member)

  // Of the search: topics are nodes 0 to topicCount - 1, members follow.
  const moved = new Array<number>(topicCount + memberCount)
  const cameFrom = new Array<number>(topicCount + memberCount)

  for (const [topic, count] of counts.entries()) {
    if (subscribers[topic]!.length === 0) continue
    for (let left = count; left > 0; left--) add(topic)
  }
  return given

  function add(source: number): void {
    search(source)
    let best = -1
    for (let member = 0; member < memberCount; member++) {
      const distance = moved[topicCount + member]!
      if (distance === UNREACHED) continue
      if (best < 0 || loads[member]! < loads[best]! || (loads[member] === loads[best] && distance < moved[topicCount + best]!))
        best = member
    }
    loads[best]!++
    for (let node = topicCount + best; ; ) {
      const topic = cameFrom[node]!
      given[node - topicCount]![topic]!++
      if (topic === source) return
      node = cameFrom[topic]!
      given[node - topicCount]![topic]!--
    }
  }

  /** How many partitions more move on the best way to each node (Bellman and Ford: a way may also undo a move). */
  function search(source: number): void {
    moved.fill(UNREACHED)
    moved[source] = 0
    const waiting = [source]
    const isWaiting = new Set(waiting)
    for (let at = 0; at < waiting.length; at++) {
      const node = waiting[at]!
      isWaiting.delete(node)
      if (node < topicCount) {
        for (const member of subscribers[node]!) reach(node, topicCount + member, given[member]![node]! < held[member]![node]! ? 0 : 1)
      } else {
        const member = node - topicCount
        for (const topic of subscriptions[member]!) {
          const count = given[member]![topic]!
          if (count > 0 && topic !== source) reach(node, topic, count > held[member]![topic]! ? -1 : 0)
        }
      }
    }

    function reach(from: number, to: number, cost: number): void {
      const distance = moved[from]! + cost
      if (distance >= moved[to]!) return
      moved[to] = distance
      cameFrom[to] = from
      if (isWaiting.has(to)) return
      isWaiting.add(to)
      waiting.push(to)
    }
  }
}
