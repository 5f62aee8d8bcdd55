#!/usr/bin/env bash
# The operations guide's first boot with AWS KMS and DynamoDB, as a session with real requests, and a second replica that follows. AWS is
# played by moto's server on loopback. Every step is checked. moto decrypts
# with disabled keys too, so failing keys at a start are shown by tests/e2e/test_aws.py against dev-kms.
#   tools/demo_aws.sh BINARY [--quiet]
set -euo pipefail

binary=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
quiet=${2:-}
moto=build/moto-venv/bin/moto_server
work=$(mktemp -d)
server_pid='' moto_pid='' replica_pid=''
checks=0
for name in $(compgen -e | grep '^AWS_' || true); do unset "$name"; done
export AWS_ACCESS_KEY_ID=demo AWS_SECRET_ACCESS_KEY=demo AWS_EC2_METADATA_DISABLED=true
export AWS_SHARED_CREDENTIALS_FILE=/nonexistent AWS_CONFIG_FILE=/nonexistent
export CC_AUTH_TOKEN='demo-operations-token-0001'

finish() {
  local status=$?
  for pid in $server_pid $replica_pid $moto_pid; do kill -TERM "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; done
  [ "$status" -eq 0 ] || { echo; echo "demo: failed; the signer's log ends with:"; tail -n 15 "$work/log" 2>/dev/null; }
  rm -rf "$work"
  if [ "$status" -eq 0 ]; then echo "demo --aws: $checks checks passed"; else echo "demo --aws: failed after $checks checks"; fi
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

out() { [ "$quiet" = --quiet ] || printf '%s\n' "$*"; }
title() { out ""; out "── $*"; }
fail() { echo "demo: $*"; exit 1; }
expect() {  # expect WHAT ACTUAL WANTED
  [ "$2" = "$3" ] || fail "$1: expected $3, got $2"
  checks=$((checks + 1))
}
field() { jq -r "$1" <<<"$reply"; }
run() {  # run ARGS...: one command of the binary, shown as typed; its stdout is left in $reply
  out "\$ containment-chamber ${*/$url/\$URL}"
  reply=$("$binary" "$@" 2>"$work/stderr") || { cat "$work/stderr"; fail "containment-chamber $1 $2 failed"; }
  out "$reply"
}
kms() {  # kms REGION ARGS...: AWS's own command line
  local region=$1
  shift
  out "\$ aws kms $* --region $region"
  reply=$(/usr/bin/aws kms "$@" --region "$region" --endpoint-url "$AWS_ENDPOINT_URL_KMS" --output json)
}
key_id() { printf %s "${1##*/}"; }  # moto answers these two calls only for the bare id
listens() {  # listens LOG PID: waits for the API's port and leaves its address in $url
  local port=''
  for _ in $(seq 300); do
    port=$(sed -nE 's/.*listening.* listener=api .*port=([0-9]+).*/\1/p' "$1" | head -n 1)
    [ -z "$port" ] || break
    kill -0 "$2" 2>/dev/null || fail "the signer did not start"
    sleep 0.1
  done
  url=http://localhost:$port
}
start_server() {
  : >"$work/log"
  "$binary" --config "$work/config.yaml" 2>"$work/log" >/dev/null &
  server_pid=$!
  listens "$work/log" "$server_pid"
}
start_replica() {  # the same configuration, a data directory of its own
  : >"$work/replica-log"
  "$binary" --config "$work/config.yaml" --data-dir "$work/replica" 2>"$work/replica-log" >/dev/null &
  replica_pid=$!
  listens "$work/replica-log" "$replica_pid"
}
stop_server() { kill -TERM "$server_pid"; wait "$server_pid" || true; server_pid=''; }
status_is() {
  local seen=''
  for _ in $(seq 200); do
    reply=$("$binary" operator status --auth-token env:CC_AUTH_TOKEN --signer-url "$url")
    seen=$(field .seal.status)
    [ "$seen" != "$1" ] || break
    sleep 0.1
  done
  out "\$ containment-chamber operator status --auth-token env:CC_AUTH_TOKEN --signer-url \$URL"
  out "$reply"
  expect "chamber status" "$seen" "$1"
}

# ---------------------------------------------------------------------------------------------------------------------
title "0. AWS on loopback: moto's server, one KMS key in each of three regions, three DynamoDB tables"
moto_port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$moto" -H 127.0.0.1 -p "$moto_port" >"$work/moto" 2>&1 &
moto_pid=$!
export AWS_ENDPOINT_URL_KMS=http://127.0.0.1:$moto_port AWS_ENDPOINT_URL_STS=http://127.0.0.1:$moto_port AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:$moto_port
for _ in $(seq 300); do curl -s -o "$work/up" "$AWS_ENDPOINT_URL_KMS/moto-api/" && break; sleep 0.1; done
arns=''
for region in us-east-1 eu-west-1 ap-southeast-1; do
  kms "$region" create-key
  arn=$(field .KeyMetadata.Arn)
  out "$arn"
  arns+=${arns:+,}$arn
done
for table in state keys slashing; do
  out "\$ aws dynamodb create-table --table-name containment-$table --region eu-west-1 (partition key pk, sort key sk)"
  /usr/bin/aws dynamodb create-table --table-name "containment-$table" --region eu-west-1 --endpoint-url "$AWS_ENDPOINT_URL_DYNAMODB" --output json \
    --billing-mode PAY_PER_REQUEST --attribute-definitions AttributeName=pk,AttributeType=S AttributeName=sk,AttributeType=S \
    --key-schema AttributeName=pk,KeyType=HASH AttributeName=sk,KeyType=RANGE >"$work/made"
done

title "1. First boot with the guide's commands"
cat >"$work/config.yaml" <<YAML
data_dir: $work/data
server:
  listen_port: 0
metrics:
  listen_port: 0
aws:
  region: eu-west-1
signer_state:
  backend: dynamodb
  table: containment-state
key_sources:
  dynamodb:
    table: containment-keys
anti_slashing:
  backend: dynamodb
  dynamodb:
    table: containment-slashing
auth_policies:
  ops-team:
    token: "env:CC_AUTH_TOKEN"
    allowed_scopes: [chamber_seal, chamber_rotate, chamber_status]
YAML
start_server
status_is uninitialized
SETUP_TOKEN=$(sed -nE 's/.*setup_token=(cc-setup-[A-Za-z0-9_-]+).*/\1/p' "$work/log" | tail -n 1)
export SETUP_TOKEN

title "2. Init names a key that is disabled, and stores nothing"
rest=${arns#*,}
kms eu-west-1 disable-key --key-id "$(key_id "${rest%%,*}")"
init=(operator init --setup-token env:SETUP_TOKEN --signer-url "$url" --kms-key-arns "$arns" --kms-threshold 2)
out "\$ containment-chamber ${init[*]/$url/\$URL}"
if "$binary" "${init[@]}" >"$work/refused" 2>"$work/stderr"; then fail "init took a disabled key"; fi
out "$(cat "$work/stderr")"
expect "the refusal" "$(grep -o 'kms_disabled' "$work/stderr" | head -n 1)" kms_disabled
status_is uninitialized
kms eu-west-1 enable-key --key-id "$(key_id "${rest%%,*}")"

title "3. The same setup token is good for the next try"
run operator init --setup-token env:SETUP_TOKEN --signer-url "$url" --kms-key-arns "$arns" --kms-threshold 2
expect "init" "$(field .status)" unsealed

title "4. Restart: KMS opens the chamber in the background"
stop_server
start_server
status_is unsealed

title "5. A second replica needs no ceremony: it finds the record, and KMS opens it"
first=$url
start_replica
status_is unsealed

title "6. A seal for all reaches both"
run operator seal --all --auth-token env:CC_AUTH_TOKEN --signer-url "$first"
status_is sealed
url=$first
status_is sealed
