"""Writes key_record.txt from docs/spec/key-record.md alone: a second implementation, independent of src/keys.

Needs the Python package `cryptography`. Run it in this folder; the output is fixed, there is no randomness in it.
"""
import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def head(major, value):
    if value < 24:
        return bytes([major << 5 | value])
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if value < 1 << (8 * size):
            return bytes([major << 5 | info]) + value.to_bytes(size, "big")
    raise ValueError(value)


def encode(item):
    if item is None:
        return b"\xf6"
    if isinstance(item, int):
        return head(0, item)
    if isinstance(item, bytes):
        return head(2, len(item)) + item
    if isinstance(item, str):
        return head(3, len(item.encode())) + item.encode()
    return head(5, len(item)) + b"".join(encode(k) + encode(item[k]) for k in sorted(item))


def derive(master_key, chamber, purpose):
    return HKDF(SHA256(), 32, salt=chamber, info=b"cc/v1/" + purpose).derive(master_key)


master_key = bytes(range(32))
chamber = bytes(range(0xA0, 0xB0))
mk_id = bytes(range(0xC0, 0xC8))
# Interop validator 0 of the consensus layer's quick-start keys.
scalar = bytes.fromhex("25295f0d1d592a90b333e26e85149708208e9f8e8bc18f6c77bd62f8ad7a6866")
public_key = bytes.fromhex(
    "a99a76ed7796f7be22d5b7e85deeb7c5677e88e511e0b337618f8c4eb61349b4bf2d153f649f7b53359fe8b94a38e44c"
)
keys_key = derive(master_key, chamber, b"keys")
status_key = derive(master_key, chamber, b"key-status")
sentinel_key = derive(master_key, chamber, b"sentinel")

rows = [
    ("master_key", master_key),
    ("chamber", chamber),
    ("mk_id", mk_id),
    ("scalar", scalar),
    ("public_key", public_key),
    ("keys_key", keys_key),
    ("status_key", status_key),
    ("sentinel_key", sentinel_key),
]


def record(status, generation, created, updated, label, backup, nonce):
    aad = b"cc/v1/key-record" + chamber + mk_id + b"\x01" + public_key
    body = encode(
        {
            0: 1,
            1: public_key,
            2: mk_id,
            3: status,
            4: generation,
            5: created,
            6: updated,
            7: label,
            8: backup,
            9: nonce,
            10: AESGCM(keys_key).encrypt(nonce, scalar, aad),
        }
    )
    mac = hmac.new(status_key, b"cc/v1/key-status" + chamber + body, hashlib.sha256).digest()
    return encode({0: 1, 1: body, 2: mac})


nonce = bytes(range(0xD0, 0xDC))
rows.append(("record_active", record(1, 1, 1700000000, 1700000000, "rack 4", None, nonce)))
rows.append(("record_inactive", record(2, 2, 1700000000, 1700000600, "rack 4", None, nonce)))
rows.append(("record_bare", record(1, 1, 0, 0, "", None, nonce)))
rows.append(("record_backup", record(1, 70000, 1, 2**40, "\u00e9tag\u00e8re", b"age-encryption.org/v1\n", nonce)))
sealed = AESGCM(sentinel_key).encrypt(nonce, b"sentinel", b"cc/v1/sentinel" + chamber + mk_id)
rows.append(("sentinel", encode({0: 1, 1: chamber, 2: mk_id, 3: nonce, 4: sealed})))

with open("key_record.txt", "w", encoding="utf-8") as out:
    out.write("# Vectors of docs/spec/key-record.md, written by make_key_record.py: name, bytes in hexadecimal.\n")
    for name, value in rows:
        out.write(f"{name} {value.hex()}\n")
