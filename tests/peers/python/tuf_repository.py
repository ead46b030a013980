"""Makes TUF repositories by python-tuf's Metadata API, from descriptions on standard input, one JSON document a line.

A line is {"folder": F, "states": [STATE, …]}. State number N is published as F/N/metadata and F/N/targets, which hold everything that the
states before it published too. A role's version goes up by one where its content or its keys changed. The answer to a line is a line: for each
state the version of every role.

Everything in a STATE may be left out:
    consistent_snapshot  true
    indent, ascii, sort  how it is serialised: null, true and true, which is compact and in order
    meta                 "all", "none" or "mixed": whether snapshot and timestamp say lengths and hashes
    keyids               "names": keyids are the names of the keys, and not their hashes
    unknown              members that are added to every object that may have some
    expires              {role: date}; what is not named holds until 2100
    versions             {role: version} in place of the next ones
    roles                {top-level role: {"keys": [KEY, …], "threshold": N, "signers": [KEY, …]}}; left out, the signers are the keys, and of root those of
                         the state before it too
    targets              {name: content} of the top-level role
    hashes, custom       the algorithms for all targets, and their `custom` member
    delegations          DELEGATIONS of the top-level role

DELEGATIONS are a list of {"name", "keys", "threshold", "signers", "terminating", "paths" or "path_hash_prefixes", "targets", "delegations"}, or
{"succinct": {"bit_length", "name_prefix", "keys", "threshold", "signers", "targets"}}, or {"bins": the same}, the same bins by path_hash_prefixes.
The targets of both are put into the bins where they belong.

KEY is TYPE/NAME, where TYPE is ed25519, ecdsa, ecdsa384 or rsa. A key follows from its name, so that it is the same in every run.
"""

import datetime
import hashlib
import json
import math
import pathlib
import shutil
import sys
from functools import cache
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.metadata import DelegatedRole, Delegations, Metadata, MetaFile, Role, Root, Snapshot, SuccinctRoles, TargetFile, Targets, Timestamp

TOP_LEVEL = ("root", "timestamp", "snapshot", "targets")
FOREVER = "2100-01-01T00:00:00Z"
SMALL_FACTORS = math.prod(range(3, 1000, 2))


def stream(name, length):
    return hashlib.shake_256(name.encode()).digest(length)


def prime(name):
    """A prime of 1024 bits by Fermat's test; whoever makes a key of it tests it again. Two of them make a product of 2048 bits."""
    number = int.from_bytes(stream(name, 128)) | 3 << 1022 | 1
    while number % 65537 == 1 or math.gcd(number, SMALL_FACTORS) > 1 or pow(2, number - 1, number) != 1:
        number += 2
    return number


def rsa_key(name):
    p, q, e = prime(f"{name} p"), prime(f"{name} q"), 65537
    d = pow(e, -1, math.lcm(p - 1, q - 1))
    exponents = rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q)
    return rsa.RSAPrivateNumbers(p, q, d, *exponents, rsa.RSAPublicNumbers(e, p * q)).private_key()


@cache
def private_key(name):
    kind = name.partition("/")[0]
    if kind == "rsa":
        return rsa_key(name)
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.from_private_bytes(stream(name, 32))
    curve, size = {"ecdsa": (ec.SECP256R1(), 31), "ecdsa384": (ec.SECP384R1(), 47)}[kind]
    return ec.derive_private_key(int.from_bytes(stream(name, size)) + 1, curve)


class Repository:
    """What was published last, and the state that is published next."""

    def __init__(self):
        self.state = {}
        # By role: the version, what it depended on besides its content, the content, and the signed bytes.
        self.published = {}
        self.targets = {}
        self.root_signers = []

    def signer(self, key):
        keyid = key if self.state.get("keyids") == "names" else None
        scheme = "rsassa-pss-sha256" if key.startswith("rsa/") else None
        public = SSlibKey.from_crypto(private_key(key).public_key(), keyid, scheme)
        public.unrecognized_fields.update(self.unknown)
        return CryptoSigner(private_key(key), public)

    @property
    def unknown(self):
        return self.state.get("unknown", {})

    def expires(self, role):
        return datetime.datetime.fromisoformat(self.state.get("expires", {}).get(role, FOREVER))

    def role(self, name):
        """Keys, threshold and signers of a top-level role."""
        said = self.state.get("roles", {}).get(name, {})
        keys = said.get("keys", [f"ed25519/{name}"])
        return keys, said.get("threshold", 1), said.get("signers", keys)

    def serialised(self, metadata):
        state = self.state
        separators = (",", ":") if state.get("indent") is None else (",", ": ")
        options = {"indent": state.get("indent"), "ensure_ascii": state.get("ascii", True), "sort_keys": state.get("sort", True)}
        return json.dumps(metadata.to_dict(), separators=separators, **options).encode()

    def publish(self, name, signed, signers, leaving=()):
        """Signs a role as a new version, unless it is what it was. Those who leave sign it too."""
        signed.unrecognized_fields.update(self.unknown)
        signed.expires = self.expires(name)
        version, *before = self.published.get(name, (0, None, None))
        signed.version = version
        wanted = self.state.get("versions", {}).get(name)
        if wanted in (None, version) and before[:2] == [signed.to_dict(), signers]:
            return
        signed.version = wanted or version + 1
        metadata = Metadata(signed)
        for key in dict.fromkeys([*leaving, *signers]):
            metadata.sign(self.signer(key), append=True)
        signed_bytes = self.serialised(metadata)
        # The content with the version by which it is compared next time.
        self.published[name] = (signed.version, signed.to_dict(), signers, signed_bytes)

    def publish_root(self):
        root = Root(consistent_snapshot=self.state.get("consistent_snapshot", True), roles={name: Role([], 1) for name in TOP_LEVEL})
        for name in TOP_LEVEL:
            keys, threshold, _ = self.role(name)
            root.roles[name] = Role([], threshold, dict(self.unknown))
            for key in keys:
                root.add_key(self.signer(key).public_key, name)
        *_, signers = self.role("root")
        named = "signers" in self.state.get("roles", {}).get("root", {})
        self.publish("root", root, signers, () if named else self.root_signers)
        self.root_signers = signers

    def target_files(self, targets):
        files = {}
        for name, content in targets.items():
            content = content.encode()
            file = TargetFile.from_data(name, content, self.state.get("hashes", ["sha256"]))
            file.unrecognized_fields.update(self.unknown)
            if "custom" in self.state:
                file.unrecognized_fields["custom"] = self.state["custom"]
            files[name] = file
            prefixed = file.get_prefixed_paths() if self.state.get("consistent_snapshot", True) else [name]
            self.targets.update(dict.fromkeys(prefixed, content))
        return files

    def publish_targets(self, name, said, signers):
        """Publishes a role and all below it; the names of all these."""
        targets = Targets(targets=self.target_files(said.get("targets", {})))
        delegations, children = said.get("delegations"), []
        if isinstance(delegations, list):
            targets.delegations = Delegations({}, {})
            for child in delegations:
                self.delegate(targets, child)
                children += self.publish_targets(child["name"], child, child.get("signers", child["keys"]))
        elif delegations:
            ((kind, bins),) = delegations.items()
            children = self.publish_bins(targets, kind, bins)
        self.publish(name, targets, signers)
        return [name, *children]

    def delegate(self, targets, child):
        patterns = child.get("paths"), child.get("path_hash_prefixes")
        role = DelegatedRole(child["name"], [], child.get("threshold", 1), child.get("terminating", False), *patterns, dict(self.unknown))
        targets.delegations.roles[child["name"]] = role
        for key in child["keys"]:
            targets.add_key(self.signer(key).public_key, child["name"])

    def publish_bins(self, targets, kind, bins):
        keys, bits = bins["keys"], bins["bit_length"]
        succinct = SuccinctRoles([], bins.get("threshold", 1), bits, bins["name_prefix"], dict(self.unknown))
        filled = {name: {} for name in succinct.get_roles()}
        for path, content in bins["targets"].items():
            filled[succinct.get_role_for_target(path)][path] = content
        if kind == "succinct":
            targets.delegations = Delegations({}, None, succinct)
            for key in keys:
                targets.add_key(self.signer(key).public_key)
        else:
            targets.delegations = Delegations({}, {})
            digits = -(-bits // 4)
            each = 2 ** (4 * digits - bits)
            for number, name in enumerate(filled):
                prefixes = [f"{prefix:0{digits}x}" for prefix in range(number * each, (number + 1) * each)]
                self.delegate(targets, {"name": name, "path_hash_prefixes": prefixes, **bins})
        for name, content in filled.items():
            self.publish_targets(name, {"targets": content}, bins.get("signers", keys))
        return list(filled)

    def described(self, name, number):
        """What snapshot or timestamp say of a published role, the one with this number."""
        version, *_, data = self.published[name]
        sort = {"all": 0, "none": 3, "mixed": number % 4}[self.state.get("meta", "all")]
        length = len(data) if sort in (0, 1) else None
        hashes = {"sha256": hashlib.sha256(data).hexdigest()} if sort in (0, 2) else None
        return MetaFile(version, length, hashes, dict(self.unknown))

    def publish_state(self, state):
        self.state = state
        self.publish_root()
        names = self.publish_targets("targets", state, self.role("targets")[2])
        meta = {f"{name}.json": self.described(name, number) for number, name in enumerate(names)}
        self.publish("snapshot", Snapshot(meta=meta), self.role("snapshot")[2])
        self.publish("timestamp", Timestamp(snapshot_meta=self.described("snapshot", 0)), self.role("timestamp")[2])
        return ["root", "timestamp", "snapshot", *names]

    def write(self, folder, names):
        """Writes what is current into a folder. What is at a URL with %2F, a web server looks for below a folder."""
        for name in names:
            version, *_, data = self.published[name]
            numbered = name == "root" or (name != "timestamp" and self.state.get("consistent_snapshot", True))
            store(folder / "metadata", f"{version}.{name}.json" if numbered else f"{name}.json", data)
        for path, content in self.targets.items():
            # Whoever lists names that lead elsewhere serves nothing there.
            if not path.startswith("/") and ".." not in path.split("/"):
                store(folder / "targets", path, content)


def store(folder, name, content):
    path = folder / name
    if folder not in path.parents or ".." in path.parts:
        raise ValueError(f"{name} is not below {folder}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def make(description):
    folder = pathlib.Path(description["folder"])
    repository, versions = Repository(), []
    for number, state in enumerate(description["states"]):
        names = repository.publish_state(state)
        if number > 0:
            shutil.copytree(folder / str(number - 1), folder / str(number))
        repository.write(folder / str(number), names)
        versions.append({name: repository.published[name][0] for name in names})
    return versions


def main():
    for line in sys.stdin:
        print(json.dumps(make(json.loads(line))), flush=True)


if __name__ == "__main__":
    sys.exit(main())
