import { expect, test } from 'vitest'
import { runtimeRefusal } from './expected-runtime.ts'

test.each([
  ['v22.22.0', undefined],
  ['v22.23.3', '22'],
  ['v24.1.0', ''],
  ['v26.10.0', '26'],
])('%s runs where "%s" is asked for', (version, expected) => {
  expect(runtimeRefusal(version, expected)).toBeUndefined()
})

test.each([
  ['v20.20.2', undefined, /22\.22 or later/],
  ['v22.21.1', '22', /22\.22 or later/],
  ['v24.1.0', '22', /asked for Node\.js 22/],
  ['v22.23.3', '26', /asked for Node\.js 26/],
  ['v26.10.0', 'lts', /not "lts"/],
])('%s does not run where "%s" is asked for', (version, expected, why) => {
  expect(runtimeRefusal(version, expected)).toMatch(why)
})
