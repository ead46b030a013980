"""Large TUF repositories for benches/tuf.py: made by hand, so that a million targets take seconds, and the same in every run.

One key signs everything, snapshots are consistent, the snapshot says lengths and hashes, and all is in canonical form. The target
`wanted()` is there to be downloaded; of the others there is only what the metadata says.
"""

import hashlib
import json

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SEED = hashlib.sha256(b"benches").digest()
KEY = Ed25519PrivateKey.from_private_bytes(SEED)
PUBLIC = KEY.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw).hex()
CONTENT = b"what is downloaded\n"


def name(number):
    """19 characters, so that a target takes some 126 bytes of metadata."""
    return f"p{number % 100:02}/package-{number:07}"


def wanted(count):
    return name(count * 2 // 3)


def canonical(value):
    """Of what has no escapes in its strings."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def key_json():
    return {"keytype": "ed25519", "keyval": {"public": PUBLIC}, "scheme": "ed25519"}


KEYID = hashlib.sha256(canonical(key_json()).encode()).hexdigest()


def signed(text):
    """A document around the canonical text of its `signed`."""
    signature = KEY.sign(text.encode()).hex()
    return f'{{"signatures":[{{"keyid":"{KEYID}","sig":"{signature}"}}],"signed":{text}}}'.encode()


def head(kind):
    return {"_type": kind, "expires": "2100-01-01T00:00:00Z", "spec_version": "1.0.31", "version": 1}


def described(count):
    """Name, length and SHA-256 of each target, in no order."""
    chosen = wanted(count)
    for number in range(count):
        path = name(number)
        content, length = (CONTENT, len(CONTENT)) if path == chosen else (path.encode(), 10000 + number % 90000)
        yield path, length, hashlib.sha256(content).hexdigest()


def entries(count):
    """Name of each target, and its entry in a role."""
    for path, length, digest in described(count):
        yield path, f'"{path}":{{"hashes":{{"sha256":"{digest}"}},"length":{length}}}'


def listing(file, count):
    """The targets as `touchmark trust target add --from-list` takes them."""
    with open(file, "w") as lines:
        lines.writelines(f"{path} {length} sha256:{digest}\n" for path, length, digest in described(count))


def targets_text(listed, delegations=None):
    """The canonical text of a targets role."""
    members = ['"_type":"targets"']
    if delegations:
        members.append(f'"delegations":{canonical(delegations)}')
    members += ['"expires":"2100-01-01T00:00:00Z"', '"spec_version":"1.0.31"', '"targets":{' + ",".join(listed) + "}", '"version":1']
    return "{" + ",".join(members) + "}"


def publish(folder, roles, count):
    """Writes a repository of these targets roles, each a name and the text of its `signed`."""
    metadata, targets = folder / "metadata", folder / "targets"
    metadata.mkdir(parents=True)
    meta = {}

    def write(file, data):
        (metadata / file).write_bytes(data)
        return {"hashes": {"sha256": hashlib.sha256(data).hexdigest()}, "length": len(data), "version": 1}

    for role, text in roles:
        meta[f"{role}.json"] = write(f"1.{role}.json", signed(text))
    snapshot = write("1.snapshot.json", signed(canonical({**head("snapshot"), "meta": meta})))
    write("timestamp.json", signed(canonical({**head("timestamp"), "meta": {"snapshot.json": snapshot}})))
    role = {"keyids": [KEYID], "threshold": 1}
    root = {"consistent_snapshot": True, "keys": {KEYID: key_json()}, "roles": dict.fromkeys(("root", "timestamp", "snapshot", "targets"), role)}
    write("1.root.json", signed(canonical({**head("root"), **root})))
    place, _, file = wanted(count).rpartition("/")
    (targets / place).mkdir(parents=True)
    (targets / place / f"{hashlib.sha256(CONTENT).hexdigest()}.{file}").write_bytes(CONTENT)


def flat(folder, count):
    """All targets in one file."""
    listed = [entry for _, entry in sorted(entries(count))]
    publish(folder, [("targets", targets_text(listed))], count)


def binned(folder, count, bits, succinct):
    """The targets in 2^bits bins, by path_hash_prefixes of as many hexadecimal digits as it takes, or by a succinct delegation."""
    digits = -(-bits // 4)
    each = 1 << 4 * digits - bits
    width = len(f"{(1 << bits) - 1:x}")
    bins = [[] for _ in range(1 << bits)]
    for path, entry in sorted(entries(count)):
        bins[int.from_bytes(hashlib.sha256(path.encode()).digest()[:4]) >> 32 - bits].append(entry)
    names = [f"bin-{number:0{width}x}" for number in range(len(bins))]
    delegations = {"keys": {KEYID: key_json()}}
    if succinct:
        delegations["succinct_roles"] = {"bit_length": bits, "keyids": [KEYID], "name_prefix": "bin", "threshold": 1}
    else:
        prefixes = [[f"{prefix:0{digits}x}" for prefix in range(number * each, (number + 1) * each)] for number in range(len(bins))]
        delegations["roles"] = [
            {"keyids": [KEYID], "name": name, "path_hash_prefixes": of_bin, "terminating": True, "threshold": 1}
            for name, of_bin in zip(names, prefixes)
        ]
    roles = [("targets", targets_text([], delegations)), *((name, targets_text(listed)) for name, listed in zip(names, bins))]
    publish(folder, roles, count)
