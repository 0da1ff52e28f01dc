// Of what the threads of a round's millrace have died.

import type { FaultyMillrace } from '../faults/faulty-millrace.ts'

/** What is wrong: brokers and the I/O thread die of what was done to them, and of nothing else, and the I/O thread finds no fault. */
export function deathProblems({ events }: FaultyMillrace, brokerKills: number, ioKills: number): string[] {
  const problems: string[] = []
  const deaths = events.flatMap((event) => (event.type === 'brokerDied' ? [event] : []))
  const ioDeaths = events.filter(({ type }) => type === 'ioDied')
  if (ioDeaths.length !== ioKills) problems.push(`the I/O thread died ${ioDeaths.length} times, and was killed ${ioKills} times`)
  for (const event of events) {
    if (event.type === 'ioDied' && event.error !== undefined) problems.push(`the I/O thread died of ${event.error.stack}`)
    if (event.type === 'ioMessage' && event.level === 'error') problems.push(`the I/O thread says: ${event.message}`)
  }
  if (deaths.length !== brokerKills) problems.push(`${deaths.length} brokers died, ${brokerKills} were killed`)
  for (const { brokerId, incarnation, error } of deaths) {
    if (error === undefined || /^fault at|memory limit|out of memory/i.test(error.message)) continue
    problems.push(`broker ${brokerId}, incarnation ${incarnation}, died of ${error.stack ?? error.message}`)
  }
  return problems
}
