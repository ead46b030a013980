#!/usr/bin/env python3
"""Verifies an image in an OCI layout by a key and the name that it must be signed under.

    verify_layout.py REFERENCE KEY NAME       such as oci:build:1.2.0 acme.pub acme/net-monitor:1.2.0

Ends with 0 if it is verified, 1 if it is not, 3 if it is not signed, and 4 if that could not be found out.
"""

import sys

import touchmark


def main(reference: str, key: str, name: str) -> int:
    policy = touchmark.Policy.from_keys([touchmark.PublicKey.from_file(key)], name=name)
    try:
        source = touchmark.Source(reference)
        verified = source.verify(policy, at=touchmark.now())
    except touchmark.Unsigned as error:
        print(f"not signed: {error}", file=sys.stderr)
        return 3
    except touchmark.Unknown as error:
        print(f"could not find out: {error}", file=sys.stderr)
        return 4
    except touchmark.TouchmarkError as error:
        print(f"not verified: {error} ({error.code})", file=sys.stderr)
        return 1
    # From here on only what is verified is used: the digest, and the manifest's bytes.
    print(f"{verified.name} is {verified.digest}, {verified.media_type}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
