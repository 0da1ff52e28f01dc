#!/usr/bin/env bash
# Packs the package and uses it as a new user would: an empty folder, `npm install`
# of the tarball, a plain JavaScript program, and a type check of its declarations.
set -eu
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
export PATH="$root/node_modules/.bin:$PATH"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

npm pack --silent --pack-destination "$work" # runs the build first (prepack)
tarball=$(ls "$work"/millrace-*.tgz)
files=$(tar -tzf "$tarball")
echo "packed $(basename "$tarball"): $(wc -l <<<"$files") files, $(du -k "$tarball" | cut -f1) KiB"
if grep -vE '^package/(package\.json|README\.md|LICENSE|dist/.+\.(js|d\.ts|js\.map))$' <<<"$files"; then
  echo 'the files above do not belong into the package' >&2
  exit 1
fi

mkdir "$work/app"
cd "$work/app"
echo '{ "name": "app", "private": true, "type": "module" }' >package.json
rxjs=$(node -p "require('$root/package.json').devDependencies.rxjs")
npm install --no-audit --no-fund --ignore-scripts --loglevel=error "$tarball" "rxjs@$rxjs"

cat >hello.js <<'APP'
import { openMillrace, string } from 'millrace'

const millrace = await openMillrace({ brokers: 2 })
const greetings = await millrace.topic('greetings', { value: string() })
await millrace.producer().send(greetings, { value: 'hello' })
const seen = []
for await (const record of millrace.consumer().records(greetings, { until: 'end' })) seen.push(record.value)
await millrace.close()
if (seen.join() !== 'hello') throw new Error(`expected one hello, got ${JSON.stringify(seen)}`)
const entries = await Promise.all(['millrace/rxjs', 'millrace/package.json'].map((name) => import(name, name.endsWith('json') ? { with: { type: 'json' } } : undefined)))
if (typeof entries[0].fromTopic !== 'function') throw new Error('millrace/rxjs has no fromTopic')
console.log(`hello from the packed package on Node.js ${process.version}`)
APP
for major in 26 22; do
  if runtime=$(bash "$root/.ci/node-runtime.sh" $major); then timeout 60 "$runtime" hello.js; else echo "Node.js $major is not to be had: not tried"; fi
done

# The declarations alone must check, without skipLibCheck and without the sources.
cat >hello.ts <<'APP'
import { openMillrace, string } from 'millrace'
import { fromTopic } from 'millrace/rxjs'

const millrace = await openMillrace({ brokers: 1 })
const greetings = await millrace.topic('greetings', { value: string() })
for await (const record of millrace.consumer().records(greetings, { until: 'end' })) {
  const value: string = record.value
  console.log(value)
}
export const source: typeof fromTopic = fromTopic
APP
cat >tsconfig.json <<APP
{
  "compilerOptions": {
    "target": "ES2023", "lib": ["ES2024", "ESNext.Disposable", "DOM"], "module": "nodenext", "strict": true, "noEmit": true,
    "skipLibCheck": false, "typeRoots": ["$root/node_modules/@types"], "types": ["node"]
  },
  "files": ["hello.ts"]
}
APP
tsc -p .
echo 'the declarations check'
