#!/usr/bin/env python3
"""Reads a private key that cosign encrypted, and prints it as PKCS#8 PEM, which Touchmark and openssl read.

    cosign-key.py cosign.key | openssl pkcs8 -topk8 -scrypt -out key.pem

The passphrase is that of the variable COSIGN_PASSWORD, or asked for. What is printed is not encrypted: let openssl encrypt it, as above,
and keep it off the disk. Needs python 3.9 or newer, and nothing else.

cosign keeps a key as scrypt and NaCl's secretbox (XSalsa20 and Poly1305) around PKCS#8 in DER; openssl reads neither.
"""

import base64
import getpass
import hashlib
import hmac
import json
import os
import struct
import sys

LABELS = ("ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY")


def body_of(text):
    """The bytes within the PEM block."""
    for label in LABELS:
        begin, end = f"-----BEGIN {label}-----", f"-----END {label}-----"
        if begin in text and end in text:
            return base64.b64decode(text.split(begin)[1].split(end)[0])
    raise ValueError(f"not a key that cosign encrypted: it has no block `{LABELS[0]}`")


def rotate(word, by):
    return (word << by | word >> 32 - by) & 0xFFFFFFFF


def rounds(state):
    """The 20 rounds of Salsa20 (D. J. Bernstein, "Salsa20 specification", 2 to 8)."""
    x = list(state)

    def quarter(a, b, c, d):
        x[b] ^= rotate(x[a] + x[d] & 0xFFFFFFFF, 7)
        x[c] ^= rotate(x[b] + x[a] & 0xFFFFFFFF, 9)
        x[d] ^= rotate(x[c] + x[b] & 0xFFFFFFFF, 13)
        x[a] ^= rotate(x[d] + x[c] & 0xFFFFFFFF, 18)

    for _ in range(10):
        for quad in (0, 4, 8, 12), (5, 9, 13, 1), (10, 14, 2, 6), (15, 3, 7, 11):
            quarter(*quad)
        for quad in (0, 1, 2, 3), (5, 6, 7, 4), (10, 11, 8, 9), (15, 12, 13, 14):
            quarter(*quad)
    return x


def state(key, block):
    a, b, c, d = struct.unpack("<4I", b"expand 32-byte k")
    k, n = struct.unpack("<8I", key), struct.unpack("<4I", block)
    return (a, *k[:4], b, *n, c, *k[4:], d)


def key_stream(key, nonce, length):
    """XSalsa20 ("Extending the Salsa20 nonce", 2)."""
    mixed = rounds(state(key, nonce[:16]))
    inner = struct.pack("<8I", *(mixed[at] for at in (0, 5, 10, 15, 6, 7, 8, 9)))
    stream = b""
    for counter in range((length + 63) // 64):
        start = state(inner, nonce[16:] + struct.pack("<Q", counter))
        stream += struct.pack("<16I", *((one + other) & 0xFFFFFFFF for one, other in zip(start, rounds(start))))
    return stream[:length]


def poly1305(key, message):
    """RFC 8439, 2.5."""
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    sum = 0
    for at in range(0, len(message), 16):
        sum = (sum + int.from_bytes(message[at : at + 16] + b"\x01", "little")) * r % ((1 << 130) - 5)
    return ((sum + int.from_bytes(key[16:], "little")) % (1 << 128)).to_bytes(16, "little")


def decrypt(text, passphrase):
    """The key as PKCS#8 in DER."""
    data = json.loads(body_of(text))
    kdf, cipher = data["kdf"], data["cipher"]
    if (kdf["name"], cipher["name"]) != ("scrypt", "nacl/secretbox"):
        raise ValueError(f"encrypted by {kdf['name']} and {cipher['name']}, which are not known")
    n, r, p = (int(kdf["params"][name]) for name in "Nrp")
    if not (1 < n <= 1 << 20 and 0 < r <= 32 and 0 < p <= 16):
        raise ValueError("its scrypt parameters are out of bounds")
    salt = base64.b64decode(kdf["salt"])
    key = hashlib.scrypt(passphrase, salt=salt, n=n, r=r, p=p, maxmem=256 * n * r, dklen=32)
    sealed, nonce = base64.b64decode(data["ciphertext"]), base64.b64decode(cipher["nonce"])
    stream = key_stream(key, nonce, 32 + len(sealed) - 16)
    if not hmac.compare_digest(poly1305(stream[:32], sealed[16:]), sealed[:16]):
        raise ValueError("the passphrase is wrong, or the file is damaged")
    return bytes(one ^ other for one, other in zip(sealed[16:], stream[32:]))


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: cosign-key.py FILE")
    try:
        with open(sys.argv[1], encoding="ascii") as file:
            text = file.read(1 << 16)
        passphrase = os.environ.get("COSIGN_PASSWORD")
        if passphrase is None:
            passphrase = getpass.getpass(f"Passphrase of {sys.argv[1]}: ")
        der = decrypt(text, passphrase.encode())
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.exit(f"error: {sys.argv[1]}: {error}")
    lines = base64.encodebytes(der).decode().replace("\n", "")
    print("-----BEGIN PRIVATE KEY-----")
    for at in range(0, len(lines), 64):
        print(lines[at : at + 64])
    print("-----END PRIVATE KEY-----")


if __name__ == "__main__":
    main()
