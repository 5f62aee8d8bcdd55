"""The keymanager API of the real binary, driven by Lodestar's client: keystores written, statuses and interchange read by code that is not ours."""
import json
import os
import shutil
import subprocess

import lodestar
from evidence import Failed
from signer import harness  # which finds it

TOKEN = "keymanager-token-0001"
POLICIES = harness.POLICIES + f"""
  validator-keys:
    token: "{TOKEN}"
    allowed_scopes: [list_keys, import_keystores, delete_keys]
"""
ENABLED = "http:\n  key_manager_api:\n    enabled: true\n"
ROOT = harness.FORK["genesis_validators_root"]
KEYS = 3


def client(folder, verb, signer, *arguments):
    """One run of keymanager.mjs; its JSON document."""
    program = os.path.join(folder, "keymanager.mjs")
    shutil.copy(os.path.join(lodestar.HERE, "keymanager.mjs"), program)
    done = subprocess.run(["node", program, verb, signer.url, TOKEN, ROOT, str(KEYS), *arguments], cwd=folder, capture_output=True, text=True,
                          env={**os.environ, "NODE_NO_WARNINGS": "1"}, timeout=900)
    if done.returncode != 0:
        raise Failed(f"the client disagrees ({verb}):\n{done.stderr[-3000:]}\n{signer.log()[-2000:]}")
    return json.loads(done.stdout)


def require(held, what):
    if not held:
        raise Failed(what)


def keymanager(options, folder):
    """Lodestar's keymanager client lists, imports and deletes; what was signed in between is in the history it gets."""
    packages = os.path.abspath(os.path.join(os.path.dirname(options.entry), "..", "..", "..", ".."))
    signer = harness.Signer(policies=POLICIES, extra=ENABLED)
    try:
        signer.start()
        signer.init_kms_only()
        keys = client(packages, "import", signer)["keys"]
        print(f"   {len(keys)} keystores written and imported by the client; wrong password, token, network and lengths refused", flush=True)
        require(signer.sign(keys[0], harness.attestation(50, 60)).status == 412, "the imported history does not bind")
        require(signer.sign(keys[0], harness.attestation(60, 61)).status == 200, "an imported key does not sign")
        require(signer.sign(keys[1], harness.block(2000)).status == 200, "an imported key does not sign")
        history = {entry["pubkey"]: entry for entry in client(packages, "delete", signer, ",".join(keys[:2]))["history"]}
        require(history[keys[0]]["votes"][-1] == [60, 61] and history[keys[1]]["blocks"] == [2000], f"the history is not whole: {history}")
        require(signer.sign(keys[0], harness.attestation(61, 62)).status == 404, "a deleted key signs")
        require(signer.sign(keys[2], harness.attestation(61, 62)).status == 200, "the key that stayed does not sign")
        print("   two keys deleted twice; the client's own parser read their history whole", flush=True)
    finally:
        signer.close()
