// What a test waits for of a group. Each look gives what is wrong yet, or undefined when it is as it should be.

import type { Admin } from '../client/admin/admin.ts'
import type { DescribedGroup } from '../client/admin/described-group.ts'
import { MillraceError } from '../errors.ts'

/** Undefined: at most `lag` records of all partitions that it has committed or that its members read are before the group. */
export async function lagTooLarge(admin: Admin, groupId: string, lag: number): Promise<string | undefined> {
  const found = await unlessMissing(admin.groupLag(groupId))
  if (found === undefined) return 'there is no such group'
  if (found.topics.length === 0) return 'it has no partitions yet'
  const behind = found.topics.flatMap(({ topic, partitions }) =>
    // Where nothing is committed, all is before it.
    partitions.map(({ partition, endOffset, lag: known }) => ({ name: `${topic}-${partition}`, records: known ?? endOffset })),
  )
  if (behind.reduce((sum, { records }) => sum + records, 0) <= lag) return undefined
  return behind.flatMap(({ name, records }) => (records > 0 ? [`${records} of ${name}`] : [])).join(', ')
}

/** The group when it is stable, with so many members if that is said, and each has all that it will have; else what is wrong yet. */
export async function assignmentOf(admin: Admin, groupId: string, members: number | undefined): Promise<DescribedGroup | string> {
  const group = await unlessMissing(admin.describeGroups([groupId]).then(([first]) => first!))
  if (group === undefined) return 'there is no such group'
  const { state } = group
  const listed = group.members.map((member) => `${member.clientId} has ${JSON.stringify(member.assignment)}`).join('; ')
  const now = `it is ${state}, with ${group.members.length} member(s)${listed === '' ? '' : `: ${listed}`}`
  if (state !== 'Stable' || group.members.length !== (members ?? group.members.length)) return now
  const isDone = group.members.every(
    ({ assignment, targetAssignment }) => targetAssignment === null || JSON.stringify(assignment) === JSON.stringify(targetAssignment),
  )
  return isDone ? group : now
}

async function unlessMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    // Its coordinator may be another one in a moment.
    if (error instanceof MillraceError && (error.code === 'GROUP_ID_NOT_FOUND' || error.retriable)) return undefined
    throw error
  }
}
