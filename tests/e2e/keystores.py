"""EIP-2335 keystores for the tests, written without the program's help: AES-128-CTR after FIPS 197, the rest from the standard library."""
import hashlib
import json
import uuid


def _sbox():
    box, p, q = [0] * 256, 1, 1
    while True:
        p = (p ^ (p << 1) ^ (0x1B if p & 0x80 else 0)) & 0xFF
        for shift in (1, 2, 4):
            q ^= q << shift
        q &= 0xFF
        q ^= 0x09 if q & 0x80 else 0
        x = q
        for turn in (1, 2, 3, 4):
            x ^= ((q << turn) | (q >> (8 - turn))) & 0xFF
        box[p] = x ^ 0x63
        if p == 1:
            box[0] = 0x63
            return box


SBOX = _sbox()


def _round_keys(key):
    words, rcon = [list(key[i:i + 4]) for i in range(0, 16, 4)], 1
    for i in range(4, 44):
        word = list(words[i - 1])
        if i % 4 == 0:
            word = [SBOX[b] for b in word[1:] + word[:1]]
            word[0] ^= rcon
            rcon = (rcon << 1) ^ (0x11B if rcon & 0x80 else 0)
        words.append([a ^ b for a, b in zip(words[i - 4], word)])
    return [sum(words[i:i + 4], []) for i in range(0, 44, 4)]


def _double(b):
    return ((b << 1) ^ (0x1B if b & 0x80 else 0)) & 0xFF


def _encrypt_block(keys, block):
    state = [a ^ b for a, b in zip(block, keys[0])]
    for number in range(1, 11):
        state = [SBOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16)]
        if number != 10:
            mixed = []
            for c in range(0, 16, 4):
                a = state[c:c + 4]
                mixed += [_double(a[i]) ^ _double(a[(i + 1) % 4]) ^ a[(i + 1) % 4] ^ a[(i + 2) % 4] ^ a[(i + 3) % 4] for i in range(4)]
            state = mixed
        state = [a ^ b for a, b in zip(state, keys[number])]
    return bytes(state)


def aes_128_ctr(key, iv, text):
    keys, counter, out = _round_keys(key), int.from_bytes(iv, "big"), b""
    for start in range(0, len(text), 16):
        pad = _encrypt_block(keys, counter.to_bytes(16, "big"))
        out += bytes(a ^ b for a, b in zip(text[start:start + 16], pad))
        counter = (counter + 1) % 2**128
    return out


class Lockbox:
    """One password, one salt: the derivation is done once, so that a test can write many keystores that each cost the reader a whole one."""

    def __init__(self, password, kdf="pbkdf2", cost=None):
        self.password, salt = password, bytes(range(32))
        if kdf == "scrypt":
            n = cost or 262144
            self.key = hashlib.scrypt(password.encode(), salt=salt, n=n, r=8, p=1, dklen=32, maxmem=512 * 1024 * 1024)
            params = {"dklen": 32, "n": n, "r": 8, "p": 1, "salt": salt.hex()}
        else:
            count = cost or 1000
            self.key = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, count, 32)
            params = {"dklen": 32, "c": count, "prf": "hmac-sha256", "salt": salt.hex()}
        self.kdf = {"function": kdf, "params": params, "message": ""}

    def keystore(self, secret, pubkey=""):
        """The keystore of a 0x secret as JSON text."""
        iv = bytes(range(16, 32))
        cipher = aes_128_ctr(self.key[:16], iv, bytes.fromhex(secret[2:]))
        named = {"pubkey": pubkey[2:]} if pubkey else {}
        return json.dumps({
            "crypto": {
                "kdf": self.kdf,
                "checksum": {"function": "sha256", "params": {}, "message": hashlib.sha256(self.key[16:] + cipher).hexdigest()},
                "cipher": {"function": "aes-128-ctr", "params": {"iv": iv.hex()}, "message": cipher.hex()},
            },
            "path": "", "uuid": str(uuid.uuid4()), "version": 4, **named,
        })


assert aes_128_ctr(bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"), bytes.fromhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"),
                   bytes.fromhex("6bc1bee22e409f96e93d7e117393172a")).hex() == "874d6191b620e3261bef6864990db6ce"  # SP 800-38A F.5.1
