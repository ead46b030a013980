"""The policy that a trust repository signs itself, which a trust root asks beside the metadata."""

from __future__ import annotations

import json
from typing import Any, Callable, List, Optional, Tuple, Union

import touchmark
from repositories import POLICY, Repository
from test_handles import counted_frees
from test_places import AT, VECTORS, Folders
from touchmark import ABSENT, Absent, Policy, Source, TrustRoot


class SignedPolicies(Folders):
    ACCEPTS = [{"names": "acme/**", "trust": "self"}]
    REJECTS = [{"names": "acme/x:1", "reject": True}, *ACCEPTS]
    LAYOUT = f"oci:{VECTORS / 'layouts/signed'}"

    def setUp(self) -> None:
        super().setUp()
        self.repository = Repository(self.folder / "trust")
        self.source, self.index = Source(f"{self.LAYOUT}:v1"), Source(f"{self.LAYOUT}:multi")
        self.names = {"acme/x:1": self.source.manifest, "acme/multi:1": self.index.manifest}

    def opened(self) -> TrustRoot:
        return TrustRoot(self.repository.root, self.repository.metadata, self.folder / "store", AT)

    def test_the_policy_must_accept_too(self) -> None:
        cases: List[Tuple[str, Any]] = [
            ("", None),
            ("policy-rejects", self.REJECTS),
            ("no-rule", [{"names": "other/**", "trust": "self"}]),
            ("", self.ACCEPTS),
            ("policy-rejects", self.REJECTS),
        ]
        for code, rules in cases:
            self.repository.publish(self.names, rules)
            with self.subTest(rules=rules), self.opened() as trust:
                by_metadata = Policy.from_standing(trust.standing("acme/x:1"), name="acme/x:1")
                self.assertEqual(self.source.verify(by_metadata, AT).digest, self.source.digest)
                if not code:
                    verified = trust.verify(self.source, "acme/x:1", AT)
                    self.assertEqual((verified.digest, verified.name, verified.manifest), (self.source.digest, "acme/x:1", self.source.manifest))
                    self.assertEqual("signed_policy" in verified.report, rules is not None)
                    continue
                with self.assertRaises(touchmark.PolicyRejected) as raised:
                    trust.verify(self.source, "acme/x:1", AT)
                self.assertEqual(raised.exception.code, code)
                self.assertIn("signed_policy", json.dumps(raised.exception.report))

    def test_the_metadata_must_accept_as_before(self) -> None:
        self.repository.publish({"acme/x:1": self.index.manifest}, self.ACCEPTS)
        with self.opened() as trust, self.assertRaises(touchmark.NotVerified):
            trust.verify(self.source, "acme/x:1", AT)

    def test_an_image_of_an_index(self) -> None:
        self.repository.publish(self.names, self.ACCEPTS)
        with self.opened() as trust:
            self.assertEqual(trust.verify(self.index, "acme/multi:*", AT).name, "acme/multi:1")
            with self.assertRaises(touchmark.PolicyRejected):
                trust.verify(self.index, "acme/multi:1", AT, platform="linux/arm64")
        self.repository.publish(self.names, [{**self.ACCEPTS[0], "children": "allow"}])
        with self.opened() as trust:
            self.assertEqual(trust.verify(self.index, "acme/multi:1", AT, platform="linux/arm64").digest, Source(f"{self.LAYOUT}:unsigned").digest)

    def test_what_is_no_question_is_refused(self) -> None:
        self.repository.publish(self.names)
        with self.opened() as trust:
            wrong: Any
            for arguments, platform, error in (
                ((self.source, "", AT), None, touchmark.InvalidArgument),
                ((self.source, None, AT), None, touchmark.InvalidArgument),
                ((self.source, "../x", AT), None, touchmark.InvalidArgument),
                ((self.source, "acme/x:1", 0), None, touchmark.InvalidArgument),
                ((self.source, "acme/x:1", AT), "linux", touchmark.InvalidArgument),
                ((self.source, "acme/x:1", AT), "", ValueError),
                ((trust, "acme/x:1", AT), None, TypeError),
            ):
                wrong = arguments
                with self.subTest(arguments=arguments, platform=platform), self.assertRaises(error):
                    trust.verify(*wrong, platform=platform)
        with self.assertRaisesRegex(ValueError, "is closed"):
            trust.verify(self.source, "acme/x:1", AT)

    def metadata(self, path: str, limit: int) -> Union[bytes, Absent]:
        file = self.repository.metadata / path
        return file.read_bytes() if file.exists() else ABSENT

    def target(self, path: str, limit: int) -> Union[bytes, Absent]:
        return (self.repository.targets / path).read_bytes()

    def by_functions(self, target: Optional[Callable[[str, int], Union[bytes, Absent]]]) -> TrustRoot:
        return TrustRoot(self.repository.root, self.metadata, self.folder / "store", AT, fetch_target=target)

    def test_a_policy_that_is_fetched(self) -> None:
        self.repository.publish(self.names, self.REJECTS)
        with self.by_functions(self.target) as trust, self.assertRaises(touchmark.PolicyRejected):
            trust.verify(self.source, "acme/x:1", AT)
        self.repository.publish(self.names, self.ACCEPTS)
        with self.by_functions(self.target) as trust:
            self.assertEqual(trust.verify(self.source, "acme/x:1", AT).digest, self.source.digest)

    def test_a_policy_that_cannot_be_had(self) -> None:
        self.repository.publish(self.names, self.ACCEPTS)
        unreachable = ConnectionError("nobody answers")

        def fails(path: str, limit: int) -> bytes:
            raise unreachable

        with self.by_functions(fails) as trust, self.assertRaises(touchmark.Unknown) as raised:
            trust.verify(self.source, "acme/x:1", AT)
        self.assertIs(raised.exception.__cause__, unreachable)
        given = KeyError("a fault of the program")

        def faulty(path: str, limit: int) -> bytes:
            raise given

        with self.by_functions(faulty) as trust, self.assertRaises(KeyError) as wrong:
            trust.verify(self.source, "acme/x:1", AT)
        self.assertIs(wrong.exception, given)
        for withheld in (None, lambda path, limit: ABSENT):
            with self.by_functions(withheld) as trust, self.assertRaises(touchmark.Unknown):
                trust.verify(self.source, "acme/x:1", AT)
        with self.by_functions(lambda path, limit: b"{}") as trust, self.assertRaises(touchmark.Malformed):  # other bytes than are listed
            trust.verify(self.source, "acme/x:1", AT)

    def test_the_function_that_is_asked_for_it_may_not_ask_itself(self) -> None:
        self.repository.publish(self.names, self.ACCEPTS)
        asked: List[Tuple[str, touchmark.WrongState]] = []

        def asks(path: str, limit: int) -> Union[bytes, Absent]:
            with self.assertRaises(touchmark.WrongState) as raised:
                trust.verify(self.source, "acme/x:1", AT)
            asked.append((path, raised.exception))
            return self.target(path, limit)

        with self.by_functions(asks) as trust:
            self.assertEqual(trust.verify(self.source, "acme/x:1", AT).name, "acme/x:1")
        self.assertEqual([path.split(".", 1)[1] for path, _ in asked], [POLICY.split("/")[1]])

    def test_what_is_closed_while_it_verifies_is_freed_afterwards(self) -> None:
        self.repository.publish(self.names, self.ACCEPTS)

        def closes(path: str, limit: int) -> Union[bytes, Absent]:
            trust.close()
            source.close()
            return self.target(path, limit)

        trust, source = self.by_functions(closes), Source(f"{self.LAYOUT}:v1")
        with counted_frees() as freed:
            verified = trust.verify(source, "acme/x:1", AT)
            self.assertEqual(verified.digest, self.source.digest)
            self.assertEqual((freed["trust_root"], freed["source"]), (1, 1))
        with self.opened() as another:  # the store is free
            self.assertEqual(another.verify(self.source, "acme/x:1", AT).name, "acme/x:1")
        with self.assertRaisesRegex(ValueError, "is closed"):
            trust.verify(self.source, "acme/x:1", AT)
