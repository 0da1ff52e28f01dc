#!/usr/bin/env bash
# Packs the package and uses it as a new user would: an empty folder, `npm install`
# of the tarball, a program in JavaScript and one in TypeScript on each Node.js that is
# supported, and a type check of the declarations.
set -eu
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
export PATH="$root/node_modules/.bin:$PATH"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

npm pack --silent --pack-destination "$work" # runs the build first (prepack)
tarball=$(ls "$work"/millrace-*.tgz)
files=$(tar -tzf "$tarball")
size=$(($(stat -c %s "$tarball") / 1024))
echo "packed $(basename "$tarball"): $(wc -l <<<"$files") files, $size KiB"
if [ "$size" -ge 500 ]; then
  echo 'more than 500 KiB: what does a user need of it?' >&2
  exit 1
fi
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
const entries = await Promise.all(['millrace/rxjs', 'millrace/streams', 'millrace/package.json', 'millrace/testing'].map((name) => import(name, name.endsWith('json') ? { with: { type: 'json' } } : undefined)))
if (typeof entries[0].fromTopic !== 'function') throw new Error('millrace/rxjs has no fromTopic')
if (typeof entries[1].readableFrom !== 'function') throw new Error('millrace/streams has no readableFrom')
console.log(`hello from the packed package on Node.js ${process.version}`)
APP
# The same in TypeScript, which these Node.js versions run as it is. It must check without
# skipLibCheck and without the sources.
cat >hello.ts <<'APP'
import { defineTopic, json, openMillrace } from 'millrace'
import type { EmbeddedMillrace, RecordMetadata } from 'millrace'
import { fromTopic } from 'millrace/rxjs'
import { firstValueFrom, map } from 'rxjs'

const clicks = defineTopic('clicks', { partitions: 2, value: json<{ page: string }>() })
const millrace: EmbeddedMillrace = await openMillrace({ brokers: 1 })
const topic = await millrace.topic(clicks)
const sent: RecordMetadata = await millrace.producer().send(topic, { key: 'user-7', value: { page: '/' } })
const page: string = await firstValueFrom(fromTopic(topic, { until: 'end' }).pipe(map((record) => record.value.page)))
await millrace.close()
if (page !== '/' || sent.offset !== 0) throw new Error(`expected the page at offset 0, got ${page} at ${sent.offset}`)
console.log(`hello in TypeScript from the packed package on Node.js ${process.version}`)
APP

for major in 22 24 26; do
  if runtime=$(bash "$root/.ci/node-runtime.sh" $major); then
    for program in hello.js hello.ts; do timeout 60 "$runtime" $program; done
  else
    echo "skipped: Node.js $major is not to be had"
  fi
done

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
