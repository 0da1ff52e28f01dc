#!/usr/bin/env bash
# Runs the suite on one Node.js, by that runtime's own path:
#
#   .ci/test-on-node.sh 22 [vitest arguments]
#
# Exit 3: that runtime cannot be had here.
set -u
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
major=${1:?usage: .ci/test-on-node.sh MAJOR [vitest arguments]}
shift
node=$(bash "$root/.ci/node-runtime.sh" "$major") || exit $?
cd "$root" || exit 1
echo "$node $("$node" --version)"
# First on PATH too, for tests that start `node` by name.
PATH="$(dirname "$node"):$PATH" MILLRACE_EXPECT_NODE=$major exec "$node" node_modules/vitest/vitest.mjs run "$@"
