#!/usr/bin/env bash
# Runs every benchmark program of a build, or those named; each prints its figures and `ratio NAME VALUE` lines, which are
# repeated at the end. For PostgreSQL a temporary cluster is started; without its server that part is skipped.
set -euo pipefail
build=$1
shift
log="$build/bench.log"
: >"$log"
echo -15 2>/dev/null >/proc/self/autogroup || true

with_postgres() {  # with_postgres COMMAND...
  coproc CLUSTER { exec tools/temporary_postgres.sh 2>/dev/null; }
  local to=${CLUSTER[1]} pid=$CLUSTER_PID word port folder password status=0
  if read -r -t 120 word port folder password <&"${CLUSTER[0]}" && [ "$word" = ready ]; then
    CC_BENCH_POSTGRES="$port $folder $password" "$@" || status=$?
  else
    "$@" || status=$?
  fi
  exec {to}>&-
  wait "$pid" || true
  return "$status"
}

failed=0
for program in "$build"/bench/bench_*; do
  name=${program##*/bench_}
  [ -x "$program" ] || continue
  [ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
  echo "== $name" | tee -a "$log"
  run=("$program")
  [ "$name" != postgres_same_slot ] || run=(with_postgres "$program")
  "${run[@]}" 2>&1 | tee -a "$log" || failed=1
done
if grep -q '^row ' "$log"; then
  python3 -B tools/bench_plot.py "$log" "$build/performance.svg" && echo "plot: $build/performance.svg"
fi
echo
grep '^ratio ' "$log"
exit "$failed"
