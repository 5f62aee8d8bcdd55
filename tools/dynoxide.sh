#!/usr/bin/env bash
# Installs dynoxide, an emulator of DynamoDB with transactions (MIT or Apache-2.0, test-time only), into build/dynoxide, once
# per version. It needs a cargo of 1.88 or newer; without one the tests run on moto alone, and say so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=3.2.0
if [ "$(cat build/dynoxide/installed 2>/dev/null)" = "$version" ]; then
  exit 0
fi
cargo=${CC_CARGO:-$(command -v cargo || echo "$HOME/.cargo/bin/cargo")}
minor=$("$cargo" --version 2>/dev/null | sed -nE 's/^cargo 1\.([0-9]+)\..*/\1/p')
if [ "${minor:-0}" -lt 88 ]; then
  echo "dynoxide is not installed (cargo 1.${minor:-?}, 1.88 wanted): DynamoDB is tested on moto alone"
  exit 0
fi
echo "installing dynoxide $version into build/dynoxide"
mkdir -p build
# The target directory outlives nothing: a failed build starts anew.
"$cargo" install dynoxide-rs --quiet --version "$version" --locked --no-default-features \
  --features native-sqlite,http-server,cli --root build/dynoxide --target-dir build/dynoxide-target || {
  echo "dynoxide cannot be installed here: DynamoDB is tested on moto alone"
  exit 0
}
rm -rf build/dynoxide-target
echo "$version" >build/dynoxide/installed
