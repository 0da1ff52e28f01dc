// The formats of S7, apart from what encodes them: listing the cases loads no library.

export const EVENT_FORMATS = ['msgpack', 'json'] as const
export type EventFormat = (typeof EVENT_FORMATS)[number]

/** Bytes of every event, encoded. */
export const EVENT_BYTES: Readonly<Record<EventFormat, number>> = { msgpack: 94, json: 129 }
