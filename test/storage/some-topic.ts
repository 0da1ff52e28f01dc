// Names of topics, of every kind that there is.

import fc from 'fast-check'
import { isTopicName } from '../../src/storage/topic-name.ts'

const CHARS = [...'abzAZ09._-']

/** Dashes and dots, digits behind dashes, and names as long as they may be. */
export const someTopic: fc.Arbitrary<string> = fc
  .oneof(
    fc.string({ unit: fc.constantFrom(...CHARS), minLength: 1, maxLength: 12 }),
    fc.constantFrom(
      'a-0',
      'a-0-1',
      'x-0.0123456789abcdef0123456789abcdef-delete',
      '-',
      '--1',
      'a.b-c',
      '__consumer_offsets',
      'a'.repeat(249),
    ),
  )
  .filter(isTopicName)
