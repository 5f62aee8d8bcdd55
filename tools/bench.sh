#!/usr/bin/env bash
# Runs every benchmark program of a build; each prints its figures and `ratio NAME VALUE` lines, repeated at the end.
set -euo pipefail
build=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for program in "$build"/bench/bench_*; do
  [ -x "$program" ] || continue
  echo "== ${program##*/}"
  "$program" "$@" | tee -a "$log"
done
echo
grep '^ratio ' "$log"
