#!/usr/bin/env bash
# Installs moto's server into build/moto-venv, once per version of tools/moto-requirements.txt. Needs python3-venv.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
wanted=$(sha256sum tools/moto-requirements.txt)
if [ "$(cat build/moto-venv/installed 2>/dev/null)" = "$wanted" ]; then
  exit 0
fi
echo "installing moto's server into build/moto-venv"
mkdir -p build
rm -rf build/moto-venv
python3 -m venv build/moto-venv
build/moto-venv/bin/pip install --quiet --disable-pip-version-check --requirement tools/moto-requirements.txt
echo "$wanted" >build/moto-venv/installed
