// What admin calls give: plain data that is what it was at that moment, and stays so.

/** Freezes objects and arrays, and what is in them. */
export function freezeAll<T>(data: T): T {
  if (typeof data !== 'object' || data === null || Object.isFrozen(data)) return data
  for (const each of Object.values(data)) freezeAll(each)
  return Object.freeze(data)
}
