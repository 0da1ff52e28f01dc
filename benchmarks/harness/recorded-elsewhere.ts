// Figures of systems that are not run here, as they were recorded on 2026-11-23 on a 2-core
// Linux VM with 100-byte values. They are printed to show the ground, apart from all results:
// no ratio is taken to them, and they depend on a machine that may not be this one.

export interface RecordedFigure {
  readonly system: string
  readonly produce: string
  readonly consume: string
  readonly latency: string
}

export const RECORDED_ON = '2026-11-23, a 2-core Linux VM, 100-byte values unless said otherwise'

export const RECORDED_ELSEWHERE: readonly RecordedFigure[] = [
  {
    system: 'Apache Kafka 4.3.1, one broker, acks=all, Java perf tools (page cache, no fsync)',
    produce: '0.48–0.68 M/s; 1 KiB 0.16 M/s',
    consume: '2.6–3.7 M/s',
    latency: 'mean 0.8–1.0 ms, p99 4–5 ms',
  },
  { system: '@platformatic/kafka 2.12 → Kafka', produce: '0.42 M/s (1,000 a send)', consume: '0.59–0.65 M/s', latency: '' },
  { system: 'kafkajs 2.2.4 → Kafka', produce: '0.22 M/s (1,000 a send)', consume: '0.78 M/s', latency: '' },
  { system: 'NATS JetStream 2.15 (file), Node client', produce: '0.06 M/s', consume: '0.61 M/s', latency: '' },
  { system: 'Redis 7.0 Streams, Node client, pipeline of 1,000', produce: '0.23 M/s', consume: '0.54 M/s', latency: '' },
  {
    system: 'Aeron IPC 1.46 (Java, no log, no replay)',
    produce: '12.6–13.9 M/s; 1 KiB 3.1–3.3 M/s',
    consume: 'the same road',
    latency: '',
  },
  { system: 'LMAX Disruptor 4.0 (Java, payload copied in, no log)', produce: '10.4–12.8 M/s', consume: 'the same road', latency: '' },
]
