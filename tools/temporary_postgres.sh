#!/usr/bin/env bash
# A PostgreSQL cluster for tests, on a free loopback port, with TLS, gone again when this script ends.
#
#   tools/temporary_postgres.sh [-c name=value]...      settings of the server
#
# Prints one line when it is up:  ready PORT FOLDER PASSWORD
# The user and the database are both named signer (superuser); FOLDER/ca.pem is the authority of the server's
# certificate (localhost, 127.0.0.1), FOLDER is also where the Unix socket lies. Then it obeys lines on stdin and answers
# each with one line:
#   stop      stops the server at once, as a crash would      start     starts it again
#   pid       process id of the postmaster
# The end of stdin (also because the caller was killed) or a signal ends and removes everything.
set -euo pipefail

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -x "${bin:-}/initdb" ] || { echo "PostgreSQL's server is not installed (Debian: apt-get install postgresql)"; exit 2; }
folder=$(mktemp -d "${TMPDIR:-/tmp}/cc-postgres-XXXXXX")
password=$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')
as=()
if [ "$(id -u)" -eq 0 ]; then as=(runuser -u postgres --); chown postgres "$folder"; fi
chmod 755 "$folder"
run() { (cd "$folder" && "${as[@]}" "$@") <&- >>"$folder.log" 2>&1; }

cleanup() {
  trap '' EXIT INT TERM HUP
  run "$bin/pg_ctl" -D "$folder/data" -m immediate -w stop || true
  rm -rf "$folder" "$folder.log"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

make_certificates() {
  cd "$folder"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=test authority" \
    -keyout ca.key -out ca.pem
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=localhost" -keyout server.key -out server.csr
  printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >server.ext
  openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile server.ext -out server.pem
  chmod 600 server.key
  chmod 644 ca.pem server.pem
}
(make_certificates) >>"$folder.log" 2>&1 || { cat "$folder.log"; exit 1; }

printf '%s' "$password" >"$folder/password"
[ ${#as[@]} -eq 0 ] || chown -R postgres "$folder"
run "$bin/initdb" -D "$folder/data" -U signer -A scram-sha-256 --pwfile="$folder/password" --no-sync -E UTF8 --locale=C ||
  { cat "$folder.log"; exit 1; }

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
{
  echo "listen_addresses = '127.0.0.1'"
  echo "port = $port"
  echo "unix_socket_directories = '$folder'"
  echo "ssl = on"
  echo "ssl_cert_file = '$folder/server.pem'"
  echo "ssl_key_file = '$folder/server.key'"
  echo "shared_buffers = 32MB"
  while [ $# -ge 2 ] && [ "$1" = -c ]; do echo "$2"; shift 2; done
} | "${as[@]}" tee -a "$folder/data/postgresql.conf" >/dev/null

start() { run "$bin/pg_ctl" -D "$folder/data" -l "$folder/server.log" -w -t 60 start; }
start || { cat "$folder.log" "$folder/server.log"; exit 1; }
PGPASSWORD=$password run env PGPASSWORD="$password" "$bin/psql" -X -h "$folder" -p "$port" -U signer -d postgres \
  -c 'CREATE DATABASE signer' || { cat "$folder.log"; exit 1; }
echo "ready $port $folder $password"

while read -r line; do
  case "$line" in
    stop) run "$bin/pg_ctl" -D "$folder/data" -m immediate -w stop && echo ok || echo failed ;;
    start) start && echo ok || echo failed ;;
    pid) head -n 1 "$folder/data/postmaster.pid" ;;
    *) echo "unknown: $line" ;;
  esac
done
