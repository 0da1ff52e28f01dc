import { expect, test } from 'vitest'
import { answerForeignOption } from '../../src/client/foreign-options.ts'

test('one answer, however the name is written', () => {
  const answer = answerForeignOption('session.timeout.ms')
  expect(answer).toContain('a config of the brokers')
  for (const name of ['sessionTimeoutMs', 'SESSION_TIMEOUT_MS', 'session-timeout-ms']) expect(answerForeignOption(name)).toBe(answer)
})

test('families of names share one', () => {
  expect(answerForeignOption('ssl')).toContain('no principal')
  for (const name of ['sslKeyPassword', 'sasl.mechanism', 'saslJaasConfig'])
    expect(answerForeignOption(name)).toBe(answerForeignOption('ssl'))
})

test('what nobody knows has none', () => {
  for (const name of ['', 'colour', 'constructor', '__proto__', 'linger.ms']) expect(answerForeignOption(name)).toBeUndefined()
})
