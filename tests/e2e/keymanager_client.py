"""The keymanager API as the end-to-end tests call it: the policy, the keystores and the three requests."""
import json

from harness import FORK, POLICIES, interop_secret
from keystores import Lockbox

PATH = "/eth/v1/keystores"
TOKEN = "keymanager-token-0001"
LISTER = "lister-token-0000001"
ENABLED = "http:\n  key_manager_api:\n    enabled: true\n"
OWN_POLICIES = POLICIES + f"""
  validator-keys:
    token: "{TOKEN}"
    allowed_scopes: [list_keys, import_keystores, delete_keys]
  lister:
    token: "{LISTER}"
    allowed_scopes: [list_keys]
"""
OPTIONS = {"policies": OWN_POLICIES, "extra": ENABLED}
BOX = Lockbox("correct horse")
INTEROP_KEY_0 = "0xa99a76ed7796f7be22d5b7e85deeb7c5677e88e511e0b337618f8c4eb61349b4bf2d153f649f7b53359fe8b94a38e44c"


def post(signer, indices, history=None, box=BOX, token=TOKEN, timeout=300):
    body = {"keystores": [box.keystore(interop_secret(i)) for i in indices], "passwords": [box.password] * len(indices)}
    if history is not None:
        body["slashing_protection"] = history if isinstance(history, str) else json.dumps(history)
    return signer.request("POST", PATH, body, token, timeout=timeout)


def delete(signer, pubkeys, token=TOKEN, timeout=60):
    return signer.request("DELETE", PATH, {"pubkeys": pubkeys}, token, timeout=timeout)


def statuses(reply):
    assert reply.status == 200, reply
    return [item["status"] for item in reply.json()["data"]]


def history(pubkey, votes=(), blocks=(), root=FORK["genesis_validators_root"]):
    """An interchange document of one validator, without signing roots."""
    return {"metadata": {"interchange_format_version": "5", "genesis_validators_root": root},
            "data": [{"pubkey": pubkey, "signed_blocks": [{"slot": str(s)} for s in blocks],
                      "signed_attestations": [{"source_epoch": str(s), "target_epoch": str(t)} for s, t in votes]}]}
