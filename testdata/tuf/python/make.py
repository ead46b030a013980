"""Makes the repository beside this file anew, with other keys: every type of key that python-tuf signs with, RSA first.

    python3 -m venv V && V/bin/pip install tuf==7.0.1 cryptography && V/bin/python make.py
"""

import datetime
import pathlib

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Delegations, DelegatedRole, Metadata, MetaFile, Root, Snapshot, SuccinctRoles, TargetFile, Targets, Timestamp

HERE = pathlib.Path(__file__).parent
EXPIRES = datetime.datetime(2040, 1, 1, tzinfo=datetime.timezone.utc)


def publish(name, signed, signers):
    metadata = Metadata(signed)
    for signer in signers:
        metadata.sign(signer, append=True)
    metadata.to_file(str(HERE / name))
    return (HERE / name).read_bytes()


def described(version, content):
    return MetaFile.from_data(version, content, ["sha256", "sha512"])


rsa, other_rsa, ed25519, ecdsa = CryptoSigner.generate_rsa(), CryptoSigner.generate_rsa(size=3072), CryptoSigner.generate_ed25519(), CryptoSigner.generate_ecdsa()

root = Root(expires=EXPIRES, consistent_snapshot=True)
for role, signers in [("root", [rsa, ed25519]), ("timestamp", [rsa]), ("snapshot", [other_rsa]), ("targets", [rsa, ecdsa])]:
    for signer in signers:
        root.add_key(signer.public_key, role)
    root.roles[role].threshold = len(signers)
publish("1.root.json", root, [rsa, ed25519])

targets = Targets(expires=EXPIRES)
acme = DelegatedRole("acme", [], 1, False, paths=["acme/*"])
hashed = DelegatedRole("hashed", [], 1, False, path_hash_prefixes=[f"{digit:x}" for digit in range(16)])
targets.delegations = Delegations({}, {"acme": acme, "hashed": hashed})
targets.add_key(other_rsa.public_key, "acme")
targets.add_key(ed25519.public_key, "hashed")
targets.targets["file"] = TargetFile.from_data("file", b"content", ["sha256"])
snapshot = Snapshot(expires=EXPIRES)
snapshot.meta["targets.json"] = described(1, publish("1.targets.json", targets, [rsa, ecdsa]))

acme = Targets(expires=EXPIRES)
acme.targets["acme/tool"] = TargetFile.from_data("acme/tool", b"tool", ["sha256", "sha512"])
snapshot.meta["acme.json"] = described(1, publish("1.acme.json", acme, [other_rsa]))

hashed = Targets(expires=EXPIRES)
hashed.delegations = Delegations({}, succinct_roles=SuccinctRoles([], 1, 1, "bin"))
hashed.add_key(ecdsa.public_key)
snapshot.meta["hashed.json"] = described(1, publish("1.hashed.json", hashed, [ed25519]))
bins = {name: Targets(expires=EXPIRES) for name in hashed.delegations.succinct_roles.get_roles()}
bins[hashed.delegations.succinct_roles.get_role_for_target("x/y")].targets["x/y"] = TargetFile.from_data("x/y", b"in a bin", ["sha256"])
for name, content in bins.items():
    snapshot.meta[f"{name}.json"] = described(1, publish(f"1.{name}.json", content, [ecdsa]))

timestamp = Timestamp(expires=EXPIRES)
timestamp.snapshot_meta = described(1, publish("1.snapshot.json", snapshot, [other_rsa]))
publish("timestamp.json", timestamp, [rsa])
