import { describe, expect, test } from 'vitest'
import { memberKey, parseTimer, timerName } from '../../../src/coordinator/group/member-names.ts'

describe('member names', () => {
  test('a timer says its kind, its group and its member', () => {
    expect(timerName('session', 'dashboard', 'm-1')).toBe('session/dashboard/m-1')
    expect(parseTimer('session/dashboard/m-1')).toEqual({ kind: 'session', groupId: 'dashboard', memberId: 'm-1' })
    expect(parseTimer(timerName('join', 'dashboard'))).toEqual({ kind: 'join', groupId: 'dashboard', memberId: '' })
    expect(parseTimer('expire')).toEqual({ kind: 'expire', groupId: '', memberId: '' })
  })

  test('ids that hold slashes are not taken for one another', () => {
    const ids = ['a/b', 'a', 'b', 'b/c', '', '%2F', '%', '%252F', 'é/\ud800']
    const keys = new Set<string>()
    for (const groupId of ids) {
      for (const memberId of ids) {
        keys.add(memberKey(groupId, memberId))
        expect(parseTimer(timerName('rebalance', groupId, memberId))).toEqual({ kind: 'rebalance', groupId, memberId })
      }
    }
    expect(keys.size).toBe(ids.length ** 2)
  })
})
