// The road of a record: each station is marked once in src as `hot path n/8`, and
// src/README.md lists them in the order in which they are called.

import { lineOf } from './source-file.ts'
import type { SourceFile } from './source-file.ts'

export const STATIONS = 8

export interface Mark {
  readonly station: number
  readonly of: number
  readonly path: string
  readonly line: number
}

/** The marks in comments, in order of station. */
export function marksOf(files: readonly SourceFile[]): Mark[] {
  const marks = files.flatMap((file) =>
    file.comments.flatMap((comment) =>
      [...comment.value.matchAll(/hot path (\d+)\/(\d+)/g)].map((found) => ({
        station: Number(found[1]),
        of: Number(found[2]),
        path: file.path,
        line: lineOf(file, comment.start + found.index),
      })),
    ),
  )
  return marks.sort((a, b) => a.station - b.station)
}

/** What is wrong with the chain of marks, whichever files hold them. */
export function chainFaults(marks: readonly Mark[]): string[] {
  const faults = marks
    .filter(({ of, station }) => of !== STATIONS || station < 1 || station > STATIONS)
    .map((mark) => `${place(mark)} is no station of ${STATIONS}`)
  for (let station = 1; station <= STATIONS; station++) {
    const here = marks.filter((mark) => mark.station === station && mark.of === STATIONS)
    if (here.length === 0) faults.push(`station ${station} is not marked`)
    if (here.length > 1) faults.push(`station ${station} is marked more than once: ${here.map(place).join(', ')}`)
  }
  return faults
}

/**
 * The files that src/README.md gives to the stations: under the heading that speaks of
 * the road, lines such as "3. `lane/lane-writer.ts`: …", numbered from 1.
 */
export function listedStations(readme: string): string[] {
  const section = /^#+ .*\broad\b.*$([\s\S]*?)(?=^#|$(?![\s\S]))/im.exec(readme)?.[1] ?? ''
  const files: string[] = []
  for (const [, station, rest] of section.matchAll(/^ {0,3}(\d+)\. (.*)$/gm)) {
    const path = /`(?:src\/)?([\w./-]+\.ts)`/.exec(rest!)?.[1]
    if (path !== undefined) files[Number(station) - 1] = path
  }
  return files
}

function place({ path, line, station, of }: Mark): string {
  return `${path}:${line} (${station}/${of})`
}
