// Time by stage: a chunk of work goes through one stage after another on one thread, and each
// lap is added to its stage. A lap is tens of microseconds, the clock costs tens of nanoseconds.

export type Stage = 'encode' | 'lane' | 'append' | 'copyOut' | 'walk'

/** Nanoseconds a record. */
export type StageNs = Readonly<Record<Stage, number>>

export interface Stopwatch {
  start(): void
  /** The time since the last lap or start belongs to `stage`. */
  lap(stage: Stage): void
  perRecord(records: number): StageNs
}

export function stopwatch(): Stopwatch {
  const ms = { encode: 0, lane: 0, append: 0, copyOut: 0, walk: 0 }
  let at = 0
  return {
    start: () => {
      at = performance.now()
    },
    lap: (stage) => {
      const now = performance.now()
      ms[stage] += now - at
      at = now
    },
    perRecord: (records) => ({
      encode: (ms.encode * 1e6) / records,
      lane: (ms.lane * 1e6) / records,
      append: (ms.append * 1e6) / records,
      copyOut: (ms.copyOut * 1e6) / records,
      walk: (ms.walk * 1e6) / records,
    }),
  }
}
