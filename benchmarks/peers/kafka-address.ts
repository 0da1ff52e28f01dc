// Whether there is a Kafka to compare with, and Kafka's own tools. Loads no library.
//
// The address comes from `--kafka` or MILLRACE_BENCH_KAFKA; the tools are looked for in
// KAFKA_HOME/bin and on the PATH, with and without the `.sh` of Kafka's own archive.

import { accessSync, constants } from 'node:fs'
import { connect } from 'node:net'
import { delimiter, join } from 'node:path'
import type { Metric, OpenContext } from '../harness/bench-case.ts'

export const KAFKA_METRICS = {
  consumedPerSecond: { title: 'consumed', unit: 'records/s', better: 'higher' },
} as const satisfies Record<string, Metric>

const CONNECT_TIMEOUT_MS = 3_000

/** A reason why contenders that need a Kafka cannot run. */
export function noKafka({ kafka }: Pick<OpenContext, 'kafka'>): string | undefined {
  return kafka === undefined ? 'no Kafka was named: give the address of one that runs, as --kafka localhost:9092' : undefined
}

type Environment = Readonly<Record<string, string | undefined>>

/** A reason why contenders that need Kafka's Java tools cannot run. */
export function noKafkaTools(context: Pick<OpenContext, 'kafka'>, environment: Environment = process.env): string | undefined {
  const missing = noKafka(context)
  if (missing !== undefined || kafkaTool('kafka-producer-perf-test', environment) !== undefined) return missing
  return 'Kafka’s Java tools are not installed here: set KAFKA_HOME, or put kafka-producer-perf-test on the PATH'
}

/** The path of one of Kafka's tools. */
export function kafkaTool(name: string, environment: Environment = process.env): string | undefined {
  const home = environment['KAFKA_HOME']
  const folders = [...(home === undefined ? [] : [join(home, 'bin')]), ...(environment['PATH'] ?? '').split(delimiter)]
  return folders.flatMap((folder) => [join(folder, `${name}.sh`), join(folder, name)]).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Rejects, in a sentence, when nothing takes connections there. */
export async function checkAddress(address: string): Promise<void> {
  const at = address.lastIndexOf(':')
  const socket = connect({ host: address.slice(0, at), port: Number(address.slice(at + 1)), timeout: CONNECT_TIMEOUT_MS })
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve).once('error', reject)
      socket.once('timeout', () => reject(new Error(`no answer within ${CONNECT_TIMEOUT_MS / 1_000} s`)))
    })
  } catch (error) {
    const reason = error instanceof AggregateError ? error.errors.map(String).join(', ') : (error as Error).message
    throw new Error(`nothing takes connections at ${address} (${reason}): start Kafka there, or leave --kafka out`, { cause: error })
  } finally {
    socket.destroy()
  }
}
