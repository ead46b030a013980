"""With files and functions that fetch: OCI layouts, policy files, trust roots, TUF, in-toto, the search."""

from __future__ import annotations

import copy
import json
import os
import shutil
import tempfile
import unittest
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple, Union

import touchmark
from test_handles import counted_frees
from test_signing import MANIFEST
from touchmark import ABSENT, Absent, Accept, Client, Failure, FetchFailed, Need, Policy, PolicyFile, PrivateKey, PublicKey, Request, Search, Source, Store, SupplyChain, TrustRoot

VECTORS = Path(os.environ.get("TOUCHMARK_VECTORS") or Path(__file__).parents[3] / "testdata/vectors")
CASES = {case["id"]: case for case in json.loads((VECTORS / "index.json").read_text())["cases"]}
HONEST, ENTRY, SIGNED, CHAIN = (CASES[name] for name in ("tuf-honest", "standing-entry", "layout-oci-signed", "supply-chain-golang-dsse"))
ROOT = VECTORS / ENTRY["root"]["file"]
IMAGE = VECTORS / ENTRY["manifest"]["file"]
NAME = ENTRY["name"]
AT = ENTRY["at"]


class Folders(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)


class Answers(unittest.TestCase):
    def test_no_envelopes_are_the_only_evidence_too(self) -> None:
        class Asked(Store):
            def manifest(self, digest: str, limit: int) -> bytes:
                return bytes(IMAGE.read_bytes())

        policy = Policy.from_keys([PrivateKey.generate().public_key])
        request = Request(policy, touchmark.digest(IMAGE.read_bytes()), AT, envelopes=[])
        with self.assertRaises(touchmark.Unsigned):
            Search(request).run(Asked())
        with self.assertRaises(NotImplementedError):
            Search(Request(policy, touchmark.digest(IMAGE.read_bytes()), AT)).run(Asked())

    def test_a_failure_says_no_more_than_it_can(self) -> None:
        def torn(path: str, limit: int) -> bytes:
            raise OSError("half of a pair: \ud800")

        store = {"root.json": (VECTORS / HONEST["root"]["file"]).read_bytes()}
        with self.assertRaises(touchmark.Unknown):
            Client(AT).drive(torn, store)
        with tempfile.TemporaryDirectory() as folder, self.assertRaises(touchmark.Unknown):
            TrustRoot(ROOT.read_bytes(), torn, folder, AT)
        client = Client(AT)
        client.next()
        for failure in (2**32 + Failure.NOT_FOUND, 0, -1):
            with self.assertRaises(ValueError):
                client.provide_failure(failure)


class Layouts(Folders):
    def setUp(self) -> None:
        super().setUp()
        _, layout, tag = SIGNED["reference"].split(":")
        shutil.copytree(VECTORS / layout, self.folder / "layout")
        self.reference = f"oci:{self.folder}/layout:{tag}"
        self.key = VECTORS / SIGNED["keys"][0]["file"]
        self.policy = Policy.from_keys([PublicKey.from_file(self.key)])

    def test_an_image_is_verified(self) -> None:
        source = Source(self.reference)
        verified = source.verify(self.policy, AT)
        self.assertEqual(verified.digest, source.digest)
        self.assertEqual(touchmark.digest(source.manifest), source.digest)
        self.assertEqual(source.verify_request(Request(self.policy, source.digest, AT)).digest, source.digest)

    def test_a_signature_is_attached(self) -> None:
        source, private = Source(self.reference), PrivateKey.generate()
        policy = Policy.from_keys([private.public_key], name=NAME)
        with self.assertRaises(touchmark.NotVerified):
            source.verify(policy, AT)
        source.attach([touchmark.sign_manifest(source.manifest, [private.signer()], name=NAME, issued=AT)])
        self.assertEqual(Source(self.reference).verify(policy, AT).name, NAME)

    def test_what_is_not_there(self) -> None:
        wrong: Any
        for wrong, kind in (
            ("", touchmark.InvalidArgument),
            ("https://example.com", touchmark.InvalidArgument),
            ("registry.example/acme/x:1", touchmark.Unsupported),
            (f"oci:{self.folder}/nothing:v1", touchmark.Unknown),
            ("oci:\udcff", touchmark.TouchmarkError),
        ):
            with self.subTest(reference=wrong), self.assertRaises(kind):
                Source(wrong).verify(self.policy, AT)

    def test_a_policy_file_decides(self) -> None:
        shutil.copy(self.key, self.folder / "key.pub")
        path = self.folder / "policy.json"
        path.write_text(json.dumps({"version": 1, "rules": [{"reference": self.reference, "keys": ["key.pub"]}]}))
        self.assertEqual(PolicyFile(path).verify(Source(self.reference), AT).digest, SIGNED["expect"]["digest"])
        path.write_text(json.dumps({"version": 1, "rules": [{"reference": self.reference, "reject": True}]}))
        with self.assertRaises(touchmark.PolicyRejected):
            PolicyFile(path).verify(Source(self.reference), AT)
        path.write_text("{}")
        with self.assertRaises(touchmark.Malformed):
            PolicyFile(path).verify(Source(self.reference), AT)
        with self.assertRaises(touchmark.TouchmarkError):
            PolicyFile(self.folder / "none.json")

    def test_a_policy_file_is_asked_by_name_and_platform(self) -> None:
        shutil.copy(self.key, self.folder / "key.pub")
        path = self.folder / "policy.json"

        def policy(**more: str) -> PolicyFile:
            path.write_text(json.dumps({"version": 1, "rules": [{"names": "acme/**", "keys": "key.pub", **more}]}))
            return PolicyFile(path)

        source, index = Source(self.reference), Source(f"oci:{self.folder}/layout:multi")
        asked = policy()
        for name in ("acme/x:1", "acme/x:*"):
            self.assertEqual(asked.verify(source, AT, name=name).name, "acme/x:1")
        for refused, kind in ((None, touchmark.PolicyRejected), ("other/x:1", touchmark.PolicyRejected), ("acme/x:2", touchmark.NotVerified)):
            with self.subTest(name=refused), self.assertRaises(kind):
                asked.verify(source, AT, name=refused)
        with self.assertRaises(touchmark.PolicyRejected):
            asked.verify(index, AT, name="acme/multi:1", platform="linux/arm64")
        asked = policy(children="allow")
        self.assertEqual(asked.verify(index, AT, name="acme/multi:1").digest, index.digest)
        for platform, tag in (("linux/amd64", "v1"), ("linux/arm64", "unsigned")):
            digest = Source(f"oci:{self.folder}/layout:{tag}").digest
            self.assertEqual(asked.verify(index, AT, name="acme/multi:1", platform=platform).digest, digest)
        wrong: Any
        for wrong, error in (
            ({"name": ""}, ValueError),
            ({"platform": ""}, ValueError),
            ({"name": b"\xff"}, touchmark.InvalidArgument),
            ({"name": "../x"}, touchmark.InvalidArgument),
            ({"platform": "linux"}, touchmark.InvalidArgument),
            ({"platform": "linux/s390x"}, touchmark.TouchmarkError),
        ):
            with self.subTest(**wrong), self.assertRaises(error):
                asked.verify(index, AT, **{"name": "acme/multi:1", **wrong})


class TrustRoots(Folders):
    def fetch(self, path: str, limit: int) -> Union[bytes, Absent]:
        file = VECTORS / ENTRY["repository"] / path
        return file.read_bytes() if file.exists() else ABSENT

    def test_metadata_in_a_folder(self) -> None:
        trust = TrustRoot(ROOT.read_bytes(), VECTORS / ENTRY["repository"], self.folder / "store", AT)
        self.verify(trust)
        with self.assertRaises(touchmark.NotFound):
            trust.target("nobody/lists:this")
        self.assertIsNotNone(trust.notes)
        with self.assertRaises(touchmark.InvalidArgument):
            TrustRoot(ROOT.read_bytes(), "", self.folder / "store", AT)
        with self.assertRaises(touchmark.IoError):
            TrustRoot(ROOT.read_bytes(), VECTORS / ENTRY["repository"], "/proc/nowhere/store", AT)

    def test_metadata_by_a_function(self) -> None:
        self.verify(TrustRoot(ROOT.read_bytes(), self.fetch, self.folder / "store", AT))

    def verify(self, trust: TrustRoot) -> None:
        standing = trust.standing(NAME)
        self.assertGreater(standing.expires, AT)
        self.assertIsInstance(standing.json, dict)
        policy = Policy.from_standing(standing, accept_only=Accept.ENTRY)
        self.assertEqual(policy.verify_manifest(IMAGE.read_bytes(), [], AT).report["accepted_by"], "entry")
        with self.assertRaises(touchmark.NotVerified):
            policy.verify_manifest(MANIFEST, [], AT)

    def test_a_function_that_does_not_reach_the_server(self) -> None:
        unreachable = ConnectionError("nobody answers")

        def fetch(path: str, limit: int) -> Union[bytes, Absent]:
            raise unreachable

        with self.assertRaises(touchmark.Unknown) as raised:
            TrustRoot(ROOT.read_bytes(), fetch, self.folder / "store", AT).standing(NAME)
        self.assertIs(raised.exception.__cause__, unreachable)
        self.assertIn("nobody answers", json.dumps(raised.exception.json))

    def test_a_function_that_is_wrong(self) -> None:
        given = KeyError("a fault of the program")

        def fetch(path: str, limit: int) -> Union[bytes, Absent]:
            raise given

        with self.assertRaises(KeyError) as raised:
            TrustRoot(ROOT.read_bytes(), fetch, self.folder / "store", AT).standing(NAME)
        self.assertIs(raised.exception, given)

    def test_a_function_that_gives_too_much(self) -> None:
        with self.assertRaises(touchmark.Unknown):
            TrustRoot(ROOT.read_bytes(), lambda path, limit: b"x" * (limit + 1), self.folder / "store", AT).standing(NAME)

    def test_the_handle_is_not_used_by_its_own_function(self) -> None:
        trusts: Dict[str, TrustRoot] = {}
        seen = []

        def fetch(path: str, limit: int) -> Union[bytes, Absent]:
            if "it" in trusts:
                try:
                    trusts["it"].standing(NAME)
                except touchmark.WrongState as error:
                    seen.append(error)
            return self.fetch(path, limit)

        trusts["it"] = TrustRoot(ROOT.read_bytes(), fetch, self.folder / "store", AT)
        self.verify(trusts["it"])
        self.assertTrue(all(isinstance(error, touchmark.WrongState) for error in seen))

    def test_a_store_is_free_when_its_trust_root_is_closed(self) -> None:
        def opened(fetch: Callable[[str, int], Union[bytes, Absent]] = self.fetch) -> TrustRoot:
            return TrustRoot(ROOT.read_bytes(), fetch, self.folder / "store", AT)

        try:
            with opened() as trust:
                trust.target("nobody/lists:this")
        except touchmark.NotFound as error:
            with opened() as trust:  # would wait for whoever has the store
                self.verify(trust)
            self.assertIsNotNone(error.__traceback__)
        with self.assertRaisesRegex(ValueError, "is closed"):
            trust.notes

    def test_a_trust_root_that_is_closed_while_it_is_asked_is_freed_afterwards(self) -> None:
        trusts: List[TrustRoot] = []

        def closes(path: str, limit: int) -> Union[bytes, Absent]:
            for trust in trusts:
                trust.close()
            return b"another"

        def metadata(path: str, limit: int) -> Union[bytes, Absent]:
            file = VECTORS / HONEST["updates"][0]["repository"] / path
            return file.read_bytes() if file.exists() else ABSENT

        root = (VECTORS / HONEST["root"]["file"]).read_bytes()
        trusts.append(TrustRoot(root, metadata, self.folder / "store", AT, fetch_target=closes))
        with counted_frees() as freed:
            try:
                trusts[0].target("file")
                self.fail("another file was taken")
            except touchmark.NotVerified as error:
                self.assertEqual(freed["trust_root"], 1)
                self.assertIsNotNone(error.__traceback__)  # which leads to the call's arguments
        with TrustRoot(root, metadata, self.folder / "store", AT) as trust:
            copied = copy.copy(trust)
        with self.assertRaisesRegex(ValueError, "is closed"):
            copied.notes

    def test_everything_is_given_back(self) -> None:
        with counted_frees() as freed:
            for number in range(20):
                with TrustRoot(ROOT.read_bytes(), self.fetch, self.folder / f"store-{number}", AT) as trust:
                    self.verify(trust)
                Source(f"oci:{VECTORS}/{SIGNED['reference'].split(':', 1)[1]}").digest
                SupplyChain((VECTORS / CHAIN["layout"]["file"]).read_bytes(), [PublicKey.from_file(VECTORS / CHAIN["keys"][0]["file"])], AT).next()
        wanted = dict.fromkeys(("trust_root", "standing", "source", "supply_chain", "verified_artifact", "policy"), 20)
        self.assertEqual({kind: freed[kind] for kind in wanted}, wanted)


class Clients(unittest.TestCase):
    def setUp(self) -> None:
        self.store: Dict[str, bytes] = {"root.json": (VECTORS / HONEST["root"]["file"]).read_bytes()}

    def fetch(self, path: str, limit: int) -> Union[bytes, Absent]:
        file = VECTORS / HONEST["updates"][0]["repository"] / path
        return file.read_bytes() if file.exists() else ABSENT

    def test_an_update_and_a_target(self) -> None:
        client = Client(AT)
        client.drive(self.fetch, self.store)
        self.assertGreaterEqual(client.state["timestamp"]["version"], 1)
        client.look_up("file")
        client.drive(self.fetch, self.store)
        target = client.found()
        self.assertEqual((target.length, target.role), (len(b"content"), "targets"))
        self.assertTrue(target.fetch_path.endswith("file"))
        target.check(b"content")
        with self.assertRaises(touchmark.NotVerified):
            target.check(b"another")
        # What was stored is enough without the repository.
        client = Client(AT, offline=True)
        client.drive(lambda path, limit: self.fail("nothing is fetched"), self.store)

    def test_refusals(self) -> None:
        with self.assertRaises(touchmark.ExpiredMetadata):
            Client(AT + 20 * 366 * 86400).drive(self.fetch, dict(self.store))
        with self.assertRaises(touchmark.UntrustedMetadata):
            Client(AT).drive(lambda path, limit: b"{}" if path == "timestamp.json" else self.fetch(path, limit), dict(self.store))
        with self.assertRaises(touchmark.Unknown):
            Client(AT).drive(self.unreachable, dict(self.store))
        with self.assertRaises(ZeroDivisionError):
            Client(AT).drive(lambda path, limit: bytes(1 // 0), dict(self.store))

    def test_nothing_older_comes_back(self) -> None:
        case = next(case for case in CASES.values() if case["operation"] == "tuf" and case["updates"][-1]["expect"]["status"] == "ROLLBACK")
        self.store["root.json"] = (VECTORS / case["root"]["file"]).read_bytes()
        for update in case["updates"]:

            def fetch(path: str, limit: int, folder: Path = VECTORS / update["repository"]) -> Union[bytes, Absent]:
                return (folder / path).read_bytes() if (folder / path).exists() else ABSENT

            if update is case["updates"][-1]:
                with self.assertRaises(touchmark.Rollback):
                    Client(update["at"]).drive(fetch, self.store)
            else:
                Client(update["at"]).drive(fetch, self.store)

    def unreachable(self, path: str, limit: int) -> Union[bytes, Absent]:
        raise FetchFailed(Failure.UNAVAILABLE, "nobody answers")


class SupplyChains(unittest.TestCase):
    LAYOUT = VECTORS / CHAIN["layout"]["file"]
    LINKS = VECTORS / CHAIN["links"]

    def setUp(self) -> None:
        self.keys = [PublicKey.from_file(VECTORS / CHAIN["keys"][0]["file"])]

    def file(self, path: str, limit: int) -> Union[bytes, Absent]:
        return (self.LINKS / path).read_bytes() if (self.LINKS / path).exists() else ABSENT

    def test_by_steps_and_in_a_folder(self) -> None:
        by_steps = SupplyChain(self.LAYOUT.read_bytes(), self.keys, AT).run(self.file, lambda folder, step: os.listdir(self.LINKS / folder))
        in_folder = touchmark.verify_supply_chain(self.LAYOUT.read_bytes(), self.keys, self.LINKS, AT)
        self.assertEqual(by_steps.report, in_folder.report)

    def test_a_refusal_has_every_reason(self) -> None:
        with self.assertRaises(touchmark.SupplyChainNotVerified) as raised:
            SupplyChain(self.LAYOUT.read_bytes(), self.keys, AT).run(lambda path, limit: ABSENT, lambda folder, step: [])
        self.assertTrue(raised.exception.report)
        with self.assertRaises(touchmark.UntrustedMetadata):
            touchmark.verify_supply_chain(self.LAYOUT.read_bytes(), [PrivateKey.generate().public_key], self.LINKS, AT)

    def test_what_could_not_be_had_is_not_known(self) -> None:
        for given in (PermissionError("not for you"), ConnectionError("nobody answers")):

            def unreachable(*_: Any, given: OSError = given) -> Any:
                raise given

            with self.assertRaises(touchmark.Unknown):
                SupplyChain(self.LAYOUT.read_bytes(), self.keys, AT).run(unreachable, unreachable)


class Memory(Store):
    """One manifest, with signatures in an index of referrers."""

    def __init__(self, manifest: bytes, error: Optional[OSError] = None) -> None:
        self.one = manifest
        self.error = error

    def manifest(self, digest: str, limit: int) -> Union[bytes, Absent]:
        return self.one if digest == touchmark.digest(self.one) else ABSENT

    def blob(self, digest: str, limit: int) -> Union[bytes, Absent]:
        return ABSENT

    def referrers(self, need: Need) -> Tuple[bytes, bool, bool]:
        if self.error:
            raise self.error
        return b'{"schemaVersion":2,"manifests":[]}', True, False


class Searches(unittest.TestCase):
    def setUp(self) -> None:
        self.private = PrivateKey.generate()
        self.policy = Policy.from_keys([self.private.public_key])
        self.digest = touchmark.digest(MANIFEST)

    def test_outcomes(self) -> None:
        envelope = touchmark.sign_manifest(MANIFEST, [self.private.signer()], issued=AT).to_json()
        request = Request(self.policy, self.digest, AT, envelopes=[envelope])
        self.assertEqual(Search(request).run(Memory(MANIFEST)).digest, self.digest)
        with self.assertRaises(touchmark.Unsigned):
            Search(Request(self.policy, self.digest, AT)).run(Memory(MANIFEST))
        for error in (ConnectionError("no"), PermissionError("no"), FetchFailed(Failure.TOO_LARGE, "no")):
            with self.assertRaises(touchmark.Unknown):
                Search(Request(self.policy, self.digest, AT)).run(Memory(MANIFEST, error))
        with self.assertRaises(touchmark.Unknown):
            Search(Request(self.policy, self.digest, AT)).run(Memory(b"{}"))

    def test_a_search_ends_once(self) -> None:
        search = Search(Request(self.policy, self.digest, AT))
        self.assertEqual(search.next(), search.next())
        with self.assertRaises(touchmark.Unsigned):
            search.run(Memory(MANIFEST))
        with self.assertRaises(touchmark.WrongState):
            search.finish()
