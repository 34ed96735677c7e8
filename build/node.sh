#!/bin/sh
# Runs Node 24 out of the npm packages, whatever Node the machine has: build/node.sh FILE [ARGUMENT...]
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
case $(uname -m) in
  x86_64) arch=x64 ;;
  aarch64) arch=arm64 ;;
  *) echo "mini8s is built for x86_64 and aarch64, not for $(uname -m)." >&2; exit 1 ;;
esac
node="$here/node_modules/node-linux-$arch/bin/node"
[ -x "$node" ] || { echo "Node 24 is not installed: run node build/setup.mjs first." >&2; exit 1; }
PATH="$here/node_modules/node-linux-$arch/bin:$here/node_modules/.bin:$PATH"
export PATH
exec "$node" "$@"
