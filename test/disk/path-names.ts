// The names in a path. Tests name the same few files millions of times: what was split once is known.

const KNOWN_MAX = 10_000

const known = new Map<string, readonly string[]>()

/** `/data//t-0/./x` gives `data`, `t-0`, `x`; none for the root. */
export function namesOf(path: string): readonly string[] {
  const before = known.get(path)
  if (before !== undefined) return before
  const names = path.split('/').filter((name) => name !== '' && name !== '.')
  if (known.size === KNOWN_MAX) known.clear()
  known.set(path, names)
  return names
}
