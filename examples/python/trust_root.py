#!/usr/bin/env python3
"""Verifies an artifact by a trust root: that it is what it is called, that nobody has revoked it, and that the policy which the trust repository signs
accepts it. Then by a policy file, if there is one.

    trust_root.py ROOT METADATA STORE NAME REFERENCE [POLICY]

ROOT is the root.json that was given to you once, METADATA the folder `metadata` of the trust repository, or the URL of it, with `targets` beside
it; STORE a folder that keeps what was seen last, so that nothing older comes back.
"""

import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Optional, Union

import touchmark


def fetch_from(url: str) -> "touchmark.tuf.Fetch":
    def fetch(path: str, limit: int) -> Union[bytes, touchmark.Absent]:
        try:
            with urllib.request.urlopen(f"{url.rstrip('/')}/{path}", timeout=30) as answer:
                data: bytes = answer.read(limit + 1)
                return data
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return touchmark.ABSENT
            raise  # an OSError: it could not be found out

    return fetch


def opened(root: bytes, metadata: str, store: str, now: int) -> touchmark.TrustRoot:
    if "://" not in metadata:
        return touchmark.TrustRoot(root, metadata, store, now)
    repository = metadata.rstrip("/").rpartition("/")[0]
    # The policy that the repository signs is one of its targets.
    return touchmark.TrustRoot(root, fetch_from(metadata), store, now, fetch_target=fetch_from(f"{repository}/targets"))


def main(root: str, metadata: str, store: str, name: str, reference: str, policy_file: Optional[str] = None) -> int:
    now = touchmark.now()
    try:
        trust = opened(Path(root).read_bytes(), metadata, store, now)
        source = touchmark.Source(reference)
        verified = trust.verify(source, name, at=now)
        print(f"{name} is {verified.digest}")
        if policy_file:
            touchmark.PolicyFile(policy_file).verify(source, at=now, name=name)
            print("the policy accepts it, too")
    except touchmark.UntrustedMetadata as error:
        print(f"the trust metadata is not to be trusted: {error}", file=sys.stderr)
        return 5
    except touchmark.Unknown as error:
        print(f"could not find out: {error}", file=sys.stderr)
        return 4
    except touchmark.TouchmarkError as error:
        print(f"not verified: {error} ({error.code})", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
