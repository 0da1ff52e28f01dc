// Ids that a group coordinator gives to members of classic groups: what the member is
// called, and a random UUID (version 4), so that one in a log can be told from another.
// Pure; chance is given.

import type { Random } from '../../random.ts'

/** `name-xxxxxxxx-xxxx-4xxx-xxxx-xxxxxxxxxxxx` */
export function newMemberId(random: Random, name: string): string {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  for (let at = 0; at < 16; at += 4) view.setUint32(at, random.uint32())
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return `${name}-${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
