// Runs before `npm start`, `npm test` and `npm run bench`: stops, with the
// remedy, when Node.js is too old or the pinned one was not installed. Written so
// that an old Node.js can parse it too.

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const oldest = [22, 22]
const [major, minor] = process.versions.node.split('.').map(Number)
const tooOld = major < oldest[0] || (major === oldest[0] && minor < oldest[1])
const windows = process.platform === 'win32'
const pinnedMissing = !existsSync(join(root, 'node_modules', 'node', 'bin', windows ? 'node.exe' : 'node'))

if (tooOld || pinnedMissing) {
  const lines = []
  if (tooOld) lines.push(`millrace needs Node.js ${oldest.join('.')} or later; this is ${process.version} (${process.execPath}).`)
  if (pinnedMissing) {
    lines.push('The pinned Node.js that development uses (devDependency "node") is not installed.')
    lines.push('Remedy: run `npm ci` in the project folder, with install scripts allowed for the package "node"')
    lines.push('        (npm 12 blocks them by default; package.json allows this one under "allowScripts").')
  } else {
    lines.push('Remedy: start it through npm (`npm start`, `npm test`, `npm run …`): npm puts the pinned Node.js first on PATH.')
  }
  if (!tooOld) lines.push('Or run the command yourself with this Node.js, for example `node examples/hello/main.ts`.')
  console.error(lines.join('\n'))
  process.exit(1)
}
