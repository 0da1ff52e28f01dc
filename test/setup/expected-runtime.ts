// Which Node.js the suite accepts.

const OLDEST = { major: 22, minor: 22 }

/** Why this runtime may not run the suite; undefined when it may. */
export function runtimeRefusal(version: string, expectedMajor: string | undefined): string | undefined {
  const [major, minor] = version.slice(1).split('.').map(Number) as [number, number]
  if (major < OLDEST.major || (major === OLDEST.major && minor < OLDEST.minor)) {
    return `millrace needs Node.js ${OLDEST.major}.${OLDEST.minor} or later, this is ${version}: run \`npm ci\`, then \`npm test\``
  }
  if (expectedMajor === undefined || expectedMajor === '') return undefined
  if (!/^\d+$/.test(expectedMajor)) return `MILLRACE_EXPECT_NODE is a major version such as 24, not "${expectedMajor}"`
  if (Number(expectedMajor) !== major) return `this run asked for Node.js ${expectedMajor} and got ${version} (${process.execPath})`
  return undefined
}
