"""Runs every case of testdata/vectors through the binding. What it does not know fails, so that nothing is left out silently.

    python vectors.py FOLDER
"""

from __future__ import annotations

import base64
import json
import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, MutableMapping, Tuple, Union

import touchmark
from touchmark import ABSENT, Absent, Accept, Client, Envelope, Hasher, Need, Policy, PolicyDocument, PolicyFile, PublicKey, Request, Search, Source, SupplyChain

Case = Dict[str, Any]
Given = Dict[str, Any]
ALWAYS = {"id", "operation", "why", "spec", "expect"}
POLICY = {"keys", "threshold", "name", "annotations", "predicate_types", "at"}


class Wrong(Exception):
    """A case is not as it should be."""


class Runner:
    """The cases of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.operations: Dict[str, Tuple[set[str], Callable[[Case], Given]]] = {
            "canonical-json": ({"document"}, self.canonical_json),
            "digest": ({"algorithm", "document"}, self.digest),
            "name": ({"name"}, self.name),
            "public-key": ({"key"}, self.public_key),
            "signature": ({"key", "message", "signature"}, self.signature),
            "envelope": ({"envelope", "keys", "threshold"}, self.envelope),
            "verify": (POLICY | {"manifest", "envelopes"}, self.verify),
            "search": (POLICY | {"store", "artifact", "covered_by", "platform", "failing"}, self.search),
            "tuf": ({"root", "updates"}, self.tuf),
            "standing": ({"root", "repository", "at", "name", "manifest", "envelopes", "accept_only", "by_role"}, self.standing),
            "supply-chain": ({"layout", "keys", "links", "parameters", "at"}, self.supply_chain),
            "policy-document": ({"document", "origin", "questions"}, self.policy_document),
            "layout": (POLICY | {"reference", "policy"}, self.layout),
        }

    def run(self) -> Tuple[int, List[str]]:
        """How many passed, and a line for each that did not."""
        index = json.loads((self.folder / "index.json").read_text())
        if index.keys() != {"format", "cases"} or index["format"] != 1:
            raise SystemExit("the index has another format")
        passed, failed = 0, []
        for case in index["cases"]:
            try:
                self.one(case)
                passed += 1
            except Exception as error:  # noqa: BLE001 - whatever a case ends with is told
                failed.append(f"{case['id']}: {type(error).__name__}: {error}")
        return passed, failed

    def one(self, case: Case) -> None:
        members, operation = self.operations[case["operation"]]
        only(case, ALWAYS | members)
        # These expect something of each of their parts.
        if case["operation"] == "tuf":
            operation(case)
        else:
            self.compare(case["expect"], lambda: operation(case))

    def compare(self, expect: Given, work: Callable[[], Given]) -> None:
        """Whether what some work gives, or how it fails, is what is expected."""
        try:
            status, code, given = "OK", None, work()
        except touchmark.TouchmarkError as error:
            status, code, given = error.status_name, error.code, {}
        if status != expect["status"]:
            raise Wrong(f"{status} ({code}), and not {expect['status']}")
        for name, wanted in expect.items():
            if name == "status":
                continue
            if name != "code" and name not in given:
                raise Wrong(f"unknown member expect.{name}")
            found = code if name == "code" else given[name]
            if isinstance(found, bytes):
                wanted = self.input(wanted)
            if found != wanted:
                raise Wrong(f"{name} is {found!r}, and not {wanted!r}")

    def input(self, source: Dict[str, str]) -> bytes:
        ((kind, value),) = source.items()
        if kind == "text":
            return value.encode()
        return base64.b64decode(value, validate=True) if kind == "base64" else (self.folder / {"file": value}[kind]).read_bytes()

    def inputs(self, case: Case, name: str) -> List[bytes]:
        return [self.input(source) for source in case.get(name, ())]

    def keys(self, case: Case) -> List[PublicKey]:
        return [PublicKey(key) for key in self.inputs(case, "keys")]

    def policy(self, case: Case) -> Policy:
        conditions = {name: case[name] for name in ("name", "annotations", "predicate_types") if name in case}
        return Policy.from_keys(self.keys(case), case["threshold"], **conditions)

    def canonical_json(self, case: Case) -> Given:
        return {"output": touchmark.canonical_json(self.input(case["document"]))}

    def digest(self, case: Case) -> Given:
        document = self.input(case["document"])
        whole = touchmark.digest(document, case["algorithm"])
        for size in (1, 7, 64):
            hasher = Hasher(case["algorithm"])
            for begin in range(0, len(document), size):
                hasher.update(memoryview(document)[begin : begin + size])
            if hasher.oci != whole:
                raise Wrong(f"another digest in pieces of {size} bytes")
        return {"digest": whole}

    def name(self, case: Case) -> Given:
        touchmark.check_name(case["name"])
        return {}

    def public_key(self, case: Case) -> Given:
        key = PublicKey(self.input(case["key"]))
        return {"algorithm": key.algorithm, "key_id": key.key_id}

    def signature(self, case: Case) -> Given:
        PublicKey(self.input(case["key"])).verify(self.input(case["message"]), self.input(case["signature"]))
        return {}

    def envelope(self, case: Case) -> Given:
        verified = Envelope(self.input(case["envelope"])).verify(self.keys(case), case["threshold"])
        return {"payload": verified.payload, "payload_type": verified.payload_type, "keys": sorted(verified.key_ids)}

    def verify(self, case: Case) -> Given:
        return said(self.policy(case).verify_manifest(self.input(case["manifest"]), self.inputs(case, "envelopes"), case["at"]))

    def search(self, case: Case) -> Given:
        scope = {name: case[name] for name in ("covered_by", "platform") if name in case}
        request = Request(self.policy(case), case["artifact"], case["at"], **scope)
        return said(Search(request).run(Memory(self, case["store"], case.get("failing", ()))))

    def layout(self, case: Case) -> Given:
        scheme, _, path = case["reference"].partition(":")
        policy = self.policy(case) if "policy" not in case else None
        file = PolicyFile(self.folder / case["policy"]) if "policy" in case else None
        source = Source(f"{scheme}:{self.folder / path}")
        if file is not None:
            return said(file.verify(source, case["at"]))
        assert policy is not None
        return said(source.verify(policy, case["at"]))

    def fetch(self, repository: str) -> Callable[[str, int], Union[bytes, Absent]]:
        def fetch(path: str, _limit: int) -> Union[bytes, Absent]:
            with suppress(FileNotFoundError):
                return (self.folder / repository / path).read_bytes()
            return ABSENT

        return fetch

    def tuf(self, case: Case) -> Given:
        store: MutableMapping[str, bytes] = {"root.json": self.input(case["root"])}
        for update in case["updates"]:
            only(update, {"repository", "at", "targets", "expect"})
            self.update(update, store)
        return {}

    def update(self, update: Case, store: MutableMapping[str, bytes]) -> None:
        fetch = self.fetch(update["repository"])
        clients: List[Client] = []

        def refresh() -> Given:
            clients.append(Client(update["at"]))
            clients[0].drive(fetch, store)
            state = clients[0].state
            return {"versions": {role: state[role]["version"] for role in ("root", "timestamp", "snapshot", "targets") if state.get(role)}}

        self.compare(update["expect"], refresh)
        for target in update.get("targets", ()):
            only(target, {"path", "expect"})

            def look_up() -> Given:
                clients[0].look_up(target["path"])
                clients[0].drive(fetch, store)
                found = clients[0].found()
                return {"length": found.length, "role": found.role, "sha256": sha256(found.json)}

            self.compare(target["expect"], look_up)

    def standing(self, case: Case) -> Given:
        touchmark.check_name(case["name"])
        fetch, store = self.fetch(case["repository"]), {"root.json": self.input(case["root"])}
        client = Client(case["at"])
        client.drive(fetch, store)
        client.look_up(case["name"])
        client.drive(fetch, store)
        kinds = None
        if "accept_only" in case:
            kinds = Accept(0)
            for kind in case["accept_only"]:
                kinds |= Accept[kind.upper()]
        policy = Policy.from_standing(client.standing(case["name"]), accept_only=kinds, by_role=case.get("by_role"))
        return said(policy.verify_manifest(self.input(case["manifest"]), self.inputs(case, "envelopes"), case["at"]))

    def supply_chain(self, case: Case) -> Given:
        links = self.folder / case["links"]

        def file(path: str, _limit: int) -> Union[bytes, Absent]:
            return (links / path).read_bytes() if (links / path).exists() else ABSENT

        def names(folder: str, step: str) -> Iterable[str]:
            if not (links / folder).is_dir():
                return []
            return sorted(name for name in os.listdir(links / folder) if re.fullmatch(re.escape(step) + r"\.[0-9a-f]{8}\.link", name))

        chain = SupplyChain(self.input(case["layout"]), self.keys(case), case["at"], parameters=case.get("parameters"))
        chain.run(file, names)
        return {}

    def policy_document(self, case: Case) -> Given:
        document = PolicyDocument(self.input(case["document"]), signed={"local": False, "signed": True}[case["origin"]])
        for number, question in enumerate(case.get("questions", ()), 1):
            only(question, {"reference", "name", "expect"})
            try:
                asked = {name: question[name] for name in ("reference", "name") if name in question}
                self.compare(question["expect"], lambda: {"rule": document.decide(**asked)})
            except Wrong as wrong:
                raise Wrong(f"question {number}: {wrong}") from None
        return {}


class Memory(touchmark.Store):
    """A place in memory, where some things cannot be had."""

    def __init__(self, runner: Runner, store: Dict[str, Dict[str, Any]], failing: Iterable[str]) -> None:
        only(store, {"manifests", "blobs", "referrers"})
        self.parts = {name: {digest: runner.input(source) for digest, source in store.get(name, {}).items()} for name in ("manifests", "blobs", "referrers")}
        self.failing = set(failing)

    def get(self, part: str, digest: str) -> Union[bytes, Absent]:
        if digest in self.failing:
            raise ConnectionError("it fails")
        return self.parts[part].get(digest, ABSENT)

    def manifest(self, digest: str, limit: int) -> Union[bytes, Absent]:
        return self.get("manifests", digest)

    def blob(self, digest: str, limit: int) -> Union[bytes, Absent]:
        return self.get("blobs", digest)

    def referrers(self, need: Need) -> Tuple[bytes, bool, bool]:
        listed = self.get("referrers", need.digest)
        return b'{"schemaVersion":2,"manifests":[]}' if listed is ABSENT else listed, True, False


def only(members: Dict[str, Any], known: Iterable[str]) -> None:
    strange = members.keys() - set(known)
    if strange:
        raise Wrong(f"unknown members {sorted(strange)}")


def said(artifact: touchmark.VerifiedArtifact) -> Given:
    return {"digest": artifact.digest, "name": artifact.name, "accepted_by": artifact.report.get("accepted_by")}


def sha256(target: Dict[str, Any]) -> Any:
    return target["hashes"]["sha256"]


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[3] / "testdata/vectors"
    passed, failed = Runner(folder.resolve()).run()
    for line in failed:
        print(line, file=sys.stderr)
    print(f"Python: {passed} vectors passed, {len(failed)} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
