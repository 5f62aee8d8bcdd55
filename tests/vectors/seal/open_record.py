#!/usr/bin/env python3
"""Opens the published seal record from docs/spec/seal-record.md alone, sharing no code with the signer.

Needs Python 3 and the `cryptography` package (44 or newer, for Argon2id). Prints one line per value that it derived
itself and compared with seal-record.json; exits with 1 at the first difference.
"""
import base64
import hashlib
import hmac
import json
import pathlib
import sys
import unicodedata

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

V = json.loads((pathlib.Path(__file__).parent / "seal-record.json").read_text())


def cbor(data):
    def item(at):
        major, info = data[at] >> 5, data[at] & 31
        at += 1
        if major == 7:
            return {20: False, 21: True, 22: None}[info], at
        if info < 24:
            value = info
        else:
            size = 1 << (info - 24)
            value, at = int.from_bytes(data[at:at + size], "big"), at + size
        if major == 0:
            return value, at
        if major == 2:
            return data[at:at + value], at + value
        if major == 3:
            return data[at:at + value].decode(), at + value
        if major == 4:
            out = []
            for _ in range(value):
                one, at = item(at)
                out.append(one)
            return out, at
        out = {}
        for _ in range(value):
            key, at = item(at)
            out[key], at = item(at)
        return out, at

    value, end = item(0)
    assert end == len(data), "trailing bytes"
    return value


def head(major, value):
    if value < 24:
        return bytes([major << 5 | value])
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if value < 1 << 8 * size:
            return bytes([major << 5 | info]) + value.to_bytes(size, "big")


def enc(value):
    if value is None:
        return b"\xf6"
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    return head(4, len(value)) + b"".join(enc(one) for one in value)


def hkdf(ikm, salt, info):
    return HKDF(hashes.SHA256(), 32, salt, info).derive(ikm)


def derive(ikm, chamber, purpose, name=b""):
    return hkdf(ikm, chamber, b"cc/v1/" + purpose.encode() + name)


def mac(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def open_box(key, aad, box):
    return AESGCM(key).decrypt(box[:12], box[12:], aad)


def multiply(a, b):
    out = 0
    while b:
        if b & 1:
            out ^= a
        a = a << 1 ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return out


def inverse(a):
    out = a
    for _ in range(253):
        out = multiply(out, a)
    return out


def combine(shares):
    out = bytearray(64)
    for x, y in shares:
        weight = 1
        for other, _ in shares:
            if other != x:
                weight = multiply(weight, multiply(other, inverse(other ^ x)))
        for i in range(64):
            out[i] ^= multiply(weight, y[i])
    assert hashlib.sha256(out[:32]).digest() == out[32:], "the shares do not belong together"
    return bytes(out[:32])


def read_share(rtss, lock, index):
    assert rtss[:16] == lock and rtss[16] == 2 and rtss[18:20] == b"\x00\x41" and rtss[20] == index
    return index, rtss[21:]


def same(name, value):
    if V[name] != value.hex():
        sys.exit(f"{name}: expected {V[name]}, derived {value.hex()}")
    print("same", name)


def main():
    document = bytes.fromhex(V["set.record"])
    assert hashlib.sha256(document[:-32]).digest() == document[-32:], "checksum"
    record = cbor(document)
    core = cbor(record[4])
    chamber, locks = core[1], core[6]
    headers = [cbor(lock[0]) for lock in locks]

    kms = headers[0]
    shares = []
    for index in (2, 3):
        index, share = read_share(bytes.fromhex(V[f"set.kms_share_{index}"]), kms[3], index)
        verifier = mac(share, b"cc/v1/share-verifier", chamber, kms[3], bytes([index]))
        same(f"set.kms_verifier_{index}", verifier)
        assert verifier == locks[0][1][index - 1][0]
        shares.append((index, share))
    lock_key = combine(shares)
    same("set.kms_lock_key", lock_key)
    content = cbor(open_box(derive(lock_key, chamber, "lock-content", kms[3]), locks[0][0], core[7]))
    inner, pepper = content[1], content[2]
    same("set.pepper", pepper)
    covered = enc([locks[1][0], None, record[6]])
    same("set.members_mac", mac(derive(pepper, chamber, "members"), covered))

    people = headers[1]
    name = lambda box, cid: enc([box, chamber, people[3], 1, "alice", cid])
    entry = cbor(record[6])[2][0][1][0]
    credential_id, box = entry[1][0]
    blob = cbor(open_box(derive(pepper, chamber, "credential", people[3]), name("cc/v1/credential", credential_id), box))
    kind, salt, memory, passes, lanes, commitment, wrapped = blob
    secret = kind.encode() + b"\0" + unicodedata.normalize("NFC", V["set.passphrase_alice"]).encode()
    stretched = Argon2id(salt=salt, length=64, iterations=passes, lanes=lanes, memory_cost=memory).derive(secret)
    same("set.alice_commitment", hkdf(stretched, chamber, b"cc/v1/credential-commit"))
    assert commitment.hex() == V["set.alice_commitment"]
    aad = name("cc/v1/credential-share", credential_id) + enc([kind, salt, memory, passes, lanes])
    rtss = open_box(hkdf(stretched, chamber, b"cc/v1/credential-enc"), aad, wrapped)
    same("set.alice_share", rtss)
    operators_key = combine([read_share(rtss, people[3], 1)])
    same("set.operators_lock_key", operators_key)
    keys = cbor(open_box(derive(operators_key, chamber, "lock-content", people[3]), locks[1][0], inner))
    mk_id, master_key, role = keys[0]
    assert mk_id == core[4] and role == 0
    same("set.master_key", master_key)
    same("set.kcv", mac(derive(master_key, chamber, "kcv"), chamber))
    same("set.record_mac", mac(derive(master_key, chamber, "record"), record[4]))
    assert core[5].hex() == V["set.kcv"] and record[5].hex() == V["set.record_mac"]
    same("set.epoch_digest", hashlib.sha256(record[4]).digest())
    index, sealed, salt_text = V["share_text.alice"].split(":")
    sealed, lock = base64.b64decode(sealed), base64.b64decode(salt_text)
    assert base64.b64decode(index) == b"\x01" and lock == people[3] and sealed[:64] == rtss[21:]
    assert hashlib.sha256(b"cc/v1/share-text" + lock + b"\x01" + sealed[:64]).digest()[:8] == sealed[64:]
    print("same share_text.alice")


def retiring():
    """A record with two master keys: one current, one retiring."""
    record = cbor(bytes.fromhex(V["retiring.record"]))
    core = cbor(record[4])
    chamber, lock = core[1], core[6][0]
    header = cbor(lock[0])
    lock_key = combine([read_share(bytes.fromhex(V[f"retiring.kms_share_{i}"]), header[3], i) for i in (1, 3)])
    content = cbor(open_box(derive(lock_key, chamber, "lock-content", header[3]), lock[0], core[7]))
    keys = {role: (mk_id, key) for mk_id, key, role in cbor(content[1])}
    assert sorted(keys) == [0, 1] and core[4] == keys[0][0] and core[12] == keys[1][0] and core[11] is None
    same("retiring.retiring_mk_id", core[12])
    same("retiring.master_key", keys[0][1])
    same("retiring.kcv", mac(derive(keys[0][1], chamber, "kcv"), chamber))
    same("retiring.record_mac", mac(derive(keys[0][1], chamber, "record"), record[4]))
    assert core[5].hex() == V["retiring.kcv"] and record[5].hex() == V["retiring.record_mac"] and core[2] == 2


main()
retiring()
