#!/usr/bin/env bash
# The main job of the product as a session with real requests: two chambers on loopback, one opened by its KEKs alone, one by a
# quorum of operators. Every step is checked; the end says what was checked. Leaves nothing running and nothing on disk.
#   tools/demo.sh BINARY [--quiet]
set -euo pipefail

binary=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
quiet=${2:-}
work=$(mktemp -d)
server_pid=''
checks=0
export CC_AUTH_TOKEN='demo-operations-token-0001' SIGNING_TOKEN='demo-signing-token-000001' KEY_MANAGER_TOKEN='demo-keys-token-0000001'

finish() {
  local status=$?
  stop_server || true
  [ "$status" -eq 0 ] || { echo; echo "demo: failed; the signer's log ends with:"; tail -n 15 "$work/log" 2>/dev/null; }
  rm -rf "$work"
  if [ "$status" -eq 0 ]; then echo "demo: $checks checks passed"; else echo "demo: failed after $checks checks"; fi
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

out() { [ "$quiet" = --quiet ] || printf '%s\n' "$*"; }
title() { out ""; out "── $*"; }
fail() { echo "demo: $*"; exit 1; }

# expect WHAT ACTUAL WANTED
expect() {
  [ "$2" = "$3" ] || fail "$1: expected $3, got $2"
  checks=$((checks + 1))
}

# run NAME ARGS...: one command of the binary, shown as typed; its stdout is left in $reply
run() {
  out "\$ containment-chamber ${*/$url/\$URL}"
  reply=$("$binary" "$@" 2>"$work/stderr") || { cat "$work/stderr"; fail "containment-chamber $1 $2 failed"; }
  out "$reply"
}
run_as() {  # run_as PASSPHRASE ARGS...: the passphrase comes on stdin, as an automated workflow sends it
  local passphrase=$1
  shift
  out "\$ echo \"\$PASSPHRASE\" | containment-chamber ${*/$url/\$URL}"
  reply=$(printf '%s\n' "$passphrase" | "$binary" "$@" 2>"$work/stderr") || { cat "$work/stderr"; fail "containment-chamber $1 $2 failed"; }
  out "$reply"
}
field() { jq -r "$1" <<<"$reply"; }

write_config() {  # write_config DATA_DIR
  cat >"$work/config.yaml" <<YAML
data_dir: $1
network: mainnet
server:
  listen_port: 0
metrics:
  listen_port: 0
auth_policies:
  signing-client:
    token: "env:SIGNING_TOKEN"
    allowed_scopes: [sign, public_keys]
  ops-team:
    token: "env:CC_AUTH_TOKEN"
    allowed_scopes: [chamber_seal, chamber_rotate, chamber_status]
  key-manager:
    token: "env:KEY_MANAGER_TOKEN"
    allowed_scopes: [chamber_keys_generate, chamber_keys_write, chamber_keys_list, chamber_keys_delete]
YAML
}

start_server() {
  : >"$work/log"
  "$binary" --config "$work/config.yaml" 2>"$work/log" >/dev/null &
  server_pid=$!
  local port=''
  for _ in $(seq 100); do
    port=$(sed -nE 's/.*listening.* listener=api .*port=([0-9]+).*/\1/p' "$work/log" | head -n 1)
    [ -z "$port" ] || break
    kill -0 "$server_pid" 2>/dev/null || fail "the signer did not start"
    sleep 0.1
  done
  [ -n "$port" ] || fail "the signer did not listen within 10 s"
  url=http://localhost:$port
}
stop_server() {
  [ -n "$server_pid" ] || return 0
  kill -TERM "$server_pid" 2>/dev/null || true
  wait "$server_pid" 2>/dev/null || true
  server_pid=''
}
status_is() {  # waits until the chamber says so
  local seen=''
  for _ in $(seq 100); do
    reply=$("$binary" operator status --auth-token env:CC_AUTH_TOKEN --signer-url "$url")
    seen=$(field .seal.status)
    [ "$seen" != "$1" ] || break
    sleep 0.1
  done
  out "\$ containment-chamber operator status --auth-token env:CC_AUTH_TOKEN --signer-url \$URL"
  out "$reply"
  expect "chamber status" "$seen" "$1"
}
setup_token() { sed -nE 's/.*setup_token=(cc-setup-[A-Za-z0-9_-]+).*/\1/p' "$work/log" | tail -n 1; }

gvr=0x4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95
fork='"fork_info":{"fork":{"previous_version":"0x04000000","current_version":"0x05000000","epoch":"364032"},"genesis_validators_root":"'$gvr'"}'
root() { printf '0x%064x' "$1"; }
attestation() {  # attestation SOURCE TARGET HEAD
  cat <<JSON
{"type":"ATTESTATION",$fork,"attestation":{"slot":"$(($2 * 32))","index":"0","beacon_block_root":"$(root "$3")",
 "source":{"epoch":"$1","root":"$(root 1)"},"target":{"epoch":"$2","root":"$(root 2)"}}}
JSON
}
block() {  # block SLOT STATE
  cat <<JSON
{"type":"BLOCK_V2",$fork,"beacon_block":{"version":"ELECTRA","block_header":{"slot":"$1","proposer_index":"7",
 "parent_root":"$(root 3)","state_root":"$(root "$2")","body_root":"$(root 4)"}}}
JSON
}
# sign WHAT PUBKEY BODY WANTED_STATUS
sign() {
  local status
  status=$(curl -s -o "$work/answer" -w '%{http_code}' -u "signing-client:$SIGNING_TOKEN" -H 'Accept: application/json' \
    -H 'Content-Type: application/json' --data "$3" "$url/api/v1/eth2/sign/$2")
  out "POST /api/v1/eth2/sign/${2:0:12}…  $1  →  $status  $(cut -c1-110 "$work/answer")"
  expect "$1" "$status" "$4"
}

# ---------------------------------------------------------------------------------------------------------------------
title "1. First boot, KMS-only: the master key is split over three local KEKs, any two open it"
write_config "$work/kms-only"
start_server
status_is uninitialized
export SETUP_TOKEN=$(setup_token)
run operator init --setup-token env:SETUP_TOKEN --signer-url "$url" --kms-key-arns "local://one,local://two,local://three" --kms-threshold 2
expect "init" "$(field .status)" unsealed

title "2. Validator keys: three generated inside the signer, one imported"
run keys generate --count 3 --auth-token env:KEY_MANAGER_TOKEN --signer-url "$url"
expect "keys generated" "$(field '[.data[]|select(.status=="generated")]|length')" 3
validator=$(field '.data[0].pubkey')
# The public interop test key 0; worthless by design.
reply=$(printf '0x25295f0d1d592a90b333e26e85149708208e9f8e8bc18f6c77bd62f8ad7a6866\n' |
  "$binary" keys import --private-key-stdin --auth-token env:KEY_MANAGER_TOKEN --signer-url "$url")
out "\$ containment-chamber keys import --private-key-stdin --auth-token env:KEY_MANAGER_TOKEN --signer-url \$URL"
out "$reply"
expect "key imported" "$(field '.data[0].status')" imported
imported=$(field '.data[0].pubkey')

title "3. Signing under slashing protection"
sign "attestation 100→101" "$validator" "$(attestation 100 101 16)" 200
sign "the same again (identical root)" "$validator" "$(attestation 100 101 16)" 200
sign "double vote" "$validator" "$(attestation 100 101 17)" 412
sign "attestation 105→106" "$validator" "$(attestation 105 106 16)" 200
sign "surround vote 103→107" "$validator" "$(attestation 103 107 16)" 412
sign "block at slot 3300" "$imported" "$(block 3300 5)" 200
sign "second block at slot 3300" "$imported" "$(block 3300 6)" 412
sign "unknown key" "0x$(printf 'a%.0s' $(seq 96))" "$(attestation 1 2 16)" 404

title "4. Seal: nothing signs until somebody resumes or restarts"
run operator seal --auth-token env:CC_AUTH_TOKEN --signer-url "$url"
expect "seal" "$(field .status)" sealed
sign "attestation while sealed" "$validator" "$(attestation 106 107 16)" 503

title "5. Restart: KEKs open the chamber without a human; the slashing history is still there"
stop_server
start_server
status_is unsealed
sign "attestation 106→107" "$validator" "$(attestation 106 107 16)" 200
sign "double vote from before the restart" "$validator" "$(attestation 100 101 17)" 412
stop_server

# ---------------------------------------------------------------------------------------------------------------------
title "6. First boot with an operator quorum: two of three people must agree"
write_config "$work/quorum"
start_server
status_is uninitialized
export SETUP_TOKEN=$(setup_token)
run operator init --setup-token env:SETUP_TOKEN --signer-url "$url" --kms-key-arns "local://one,local://two" --kms-threshold 2 \
  --unseal-threshold 2 --operators "alice,bob,carol"
expect "init" "$(field .status)" awaiting_registration
tokens=$reply
for name in alice bob carol; do
  export REGISTRATION_TOKEN=$(jq -r ".operator_tokens.$name" <<<"$tokens")
  run_as "$name has a long passphrase" operator register --operator "$name" --registration-token env:REGISTRATION_TOKEN \
    --credential-id password-1 --signer-url "$url" --passphrase-stdin
done
expect "last registration" "$(field .status)" sealed
status_is kms_unsealed

title "7. Unseal: a wrong passphrase is refused alone, two good ones open"
run_as "alice has a long passphrase" operator unseal --operator alice --signer-url "$url" --passphrase-stdin
expect "first share" "$(field .shares_received)/$(field .shares_required)" 1/2
if printf 'not the passphrase of bob\n' | "$binary" operator unseal --operator bob --signer-url "$url" --passphrase-stdin >"$work/wrong" 2>"$work/stderr"; then
  fail "a wrong passphrase was accepted"
fi
out "$(cat "$work/stderr")"
checks=$((checks + 1))
run_as "carol has a long passphrase" operator unseal --operator carol --signer-url "$url" --passphrase-stdin
expect "quorum" "$(field .status)" unsealed
run keys generate --count 1 --auth-token env:KEY_MANAGER_TOKEN --signer-url "$url"
validator=$(field '.data[0].pubkey')
sign "attestation 200→201" "$validator" "$(attestation 200 201 16)" 200

title "8. Restart: the KEKs alone do not open this one"
stop_server
start_server
status_is kms_unsealed
sign "attestation before the quorum" "$validator" "$(attestation 201 202 16)" 503
run_as "bob has a long passphrase" operator unseal --operator bob --signer-url "$url" --passphrase-stdin
run_as "carol has a long passphrase" operator unseal --operator carol --signer-url "$url" --passphrase-stdin
expect "quorum after restart" "$(field .status)" unsealed
expect "keys loaded" "$(field .validators_loaded)" 1
sign "attestation 201→202" "$validator" "$(attestation 201 202 16)" 200
run operator credentials list --operator alice --signer-url "$url"
expect "alice's credential" "$(field '.credential_ids[0]')" password-1

title "What was checked"
out "both modes from first boot to signing; one double vote, one surround vote and one second block refused with 412, also after a"
out "restart; 503 while sealed and before the quorum; a wrong passphrase refused without losing the share already given"
