#!/usr/bin/env python3
"""Signs an artifact in an OCI layout by a key that this program never sees: openssl has it here; elsewhere a key service or a token would.

callback_signer.py REFERENCE PRIVATE_KEY PUBLIC_KEY NAME       an ECDSA P-256 key
"""

import subprocess
import sys

import touchmark


def main(reference: str, private_key: str, public_key: str, name: str) -> int:
    def sign(message: bytes) -> bytes:
        # The message itself, which openssl hashes; the signature is DER.
        return subprocess.run(["openssl", "dgst", "-sha256", "-sign", private_key], input=message, stdout=subprocess.PIPE, check=True).stdout

    source = touchmark.Source(reference)
    signer = touchmark.Signer(touchmark.PublicKey.from_file(public_key), sign)
    try:
        envelope = touchmark.sign_manifest(source.manifest, [signer], name=name, issued=touchmark.now())
    except touchmark.TouchmarkError as error:
        print(f"not signed: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"not signed: {error}", file=sys.stderr)
        return 2
    source.attach([envelope])
    print(f"signed {source.digest} as {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
