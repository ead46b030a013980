"""A trust repository in a folder, all of whose roles one key signs, which the openssl program uses: no function of the library signs metadata."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

import touchmark
from touchmark import PrivateKey

POLICY = "_touchmark/policy.json"


class Repository:
    """A trust repository below ``folder``: its metadata in ``metadata``, the files of its targets in ``targets``."""

    def __init__(self, folder: Path) -> None:
        self.metadata, self.targets = folder / "metadata", folder / "targets"
        self.metadata.mkdir(parents=True)
        self.version = 0
        key = PrivateKey.generate("ecdsa-p256")
        self.pem = folder / "key.pem"
        self.pem.write_bytes(key.to_pem())
        public = {"keytype": "ecdsa", "scheme": "ecdsa-sha2-nistp256", "keyval": {"public": key.public_key.to_pem().decode()}}
        self.keyid = sha256(canonical(public))
        role = {"keyids": [self.keyid], "threshold": 1}
        roles = dict.fromkeys(("root", "targets", "snapshot", "timestamp"), role)
        self.root = self.signed("1.root.json", 1, {"_type": "root", "consistent_snapshot": True, "keys": {self.keyid: public}, "roles": roles})

    def publish(self, names: Mapping[str, bytes], rules: Optional[Any] = None) -> None:
        """Lists manifests under names and, if there are rules, a policy of them."""
        files = dict(names)
        if rules is not None:
            files[POLICY] = json.dumps({"version": 1, "rules": rules}).encode()
            folder, name = POLICY.split("/")
            (self.targets / folder).mkdir(parents=True, exist_ok=True)
            (self.targets / folder / f"{sha256(files[POLICY])}.{name}").write_bytes(files[POLICY])
        targets = {path: {"length": len(data), "hashes": {"sha256": sha256(data)}} for path, data in files.items()}
        self.version += 1
        self.signed(f"{self.version}.targets.json", self.version, {"_type": "targets", "targets": targets})
        self.signed(f"{self.version}.snapshot.json", self.version, {"_type": "snapshot", "meta": {"targets.json": {"version": self.version}}})
        self.signed("timestamp.json", self.version, {"_type": "timestamp", "meta": {"snapshot.json": {"version": self.version}}})

    def signed(self, name: str, version: int, document: Dict[str, Any]) -> bytes:
        """Signs and writes a document."""
        document.update(version=version, spec_version="1.0.34", expires="2030-01-01T00:00:00Z")
        signing = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.pem], input=canonical(document), stdout=subprocess.PIPE, check=True)
        data = json.dumps({"signed": document, "signatures": [{"keyid": self.keyid, "sig": signing.stdout.hex()}]}).encode()
        (self.metadata / name).write_bytes(data)
        return data


def canonical(document: Any) -> bytes:
    return touchmark.canonical_json(json.dumps(document).encode())


def sha256(data: bytes) -> str:
    return touchmark.digest(data).split(":")[1]
