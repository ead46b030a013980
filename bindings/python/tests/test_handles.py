"""Who owns what: handles that are closed, forgotten and shared; and every class of errors."""

from __future__ import annotations

import contextlib
import copy
import gc
import os
import pickle
import threading
import unittest
from collections import Counter
from pathlib import Path
from typing import Any, Callable, Iterator, List, Type

import touchmark
from test_signing import AT, MANIFEST
from touchmark import Client, Envelope, Policy, PolicyDocument, PrivateKey, PublicKey, Request, Search, Signer, SupplyChain, _native, errors


@contextlib.contextmanager
def counted_frees() -> Iterator[Counter[str]]:
    """Counts how many handles of each kind are given back."""
    freed: Counter[str] = Counter()
    kinds = [kind for kind in _native.Pointer.__subclasses__() if kind._free is not None]
    before = {kind: kind._free for kind in kinds}

    def counting(kind: Type[_native.Pointer]) -> Callable[..., Any]:
        def free(pointer: Any) -> None:
            freed[kind.__name__] += 1
            before[kind](pointer)

        return free

    gc.collect()
    for kind in kinds:
        kind._free = staticmethod(counting(kind))
    try:
        yield freed
        gc.collect()
    finally:
        for kind in kinds:
            kind._free = before[kind]


class Handles(unittest.TestCase):
    def test_what_is_closed_is_of_no_use(self) -> None:
        key = PrivateKey.generate()
        key.close()
        key.close()
        with self.assertRaisesRegex(ValueError, "PrivateKey is closed"):
            key.public_key
        with PrivateKey.generate() as private:
            public = private.public_key
        with self.assertRaises(ValueError):
            private.to_pem()
        public.to_pem()  # borrows nothing

    def test_a_handle_of_another_kind_is_refused(self) -> None:
        private = PrivateKey.generate()
        envelope = Envelope.sign("text/plain", b"", [private.signer()])
        anything: Any
        for anything in (private, "key", None, 5):
            with self.assertRaises(TypeError):
                envelope.verify([anything])
            with self.assertRaises(TypeError):
                Request(anything, touchmark.digest(b""), AT)

    def test_a_copy_frees_nothing_twice(self) -> None:
        key = PrivateKey.generate()
        signer = Signer(key.public_key, lambda message: b"")
        with counted_frees() as freed:
            for handle in (key, key.public_key, signer, Policy.from_keys([key.public_key]), Client(AT)):
                for copier in (copy.deepcopy, pickle.dumps):
                    with self.assertRaises(TypeError):
                        copier(handle)
                other = copy.copy(handle)
                other.close()
                handle._pointer  # is held by the one that is left
            del handle, other
        self.assertEqual(freed["private_key"] + freed["signer"], 0)
        key.to_pem()

    def test_a_handle_that_was_not_made_frees_nothing(self) -> None:
        for wrong in (b"", b"{}", b"\0" * 100):
            with self.assertRaises(touchmark.Malformed):
                Envelope(wrong)
        blank = Envelope.__new__(Envelope)
        with self.assertRaises(ValueError):
            blank.to_json()
        del blank

    def test_everything_is_given_back(self) -> None:
        rounds = 200
        with counted_frees() as freed:
            private = PrivateKey.generate()
            for _ in range(rounds):
                self.use(private)
            private.close()
        wanted = dict.fromkeys(("policy", "policy_builder", "verified_artifact", "envelope", "signer", "public_key", "hasher", "request", "search"), rounds)
        wanted.update(dict.fromkeys(("tuf_client", "error", "policy_document"), rounds), private_key=1)
        self.assertEqual({kind: freed[kind] for kind in wanted}, wanted)

    def use(self, private: PrivateKey) -> None:
        """Makes one of each, and one error."""
        public = private.public_key
        policy = Policy.from_keys([public])
        envelope = touchmark.sign_manifest(MANIFEST, [private.signer()], issued=AT)
        policy.verify_manifest(MANIFEST, [envelope.to_json()], AT)
        touchmark.Hasher().digest()
        Search(Request(policy, touchmark.digest(MANIFEST), AT)).next()
        Client(AT).next()
        PolicyDocument(b'{"version":1,"rules":[]}')
        try:
            touchmark.check_name("")
        except touchmark.InvalidArgument as error:
            self.assertTrue(error.message)

    @unittest.skipUnless(Path("/proc/self/statm").exists(), "needs /proc to tell how much memory is used")
    def test_memory_does_not_grow(self) -> None:
        if "asan" in os.environ.get("LD_PRELOAD", ""):
            self.skipTest("AddressSanitizer keeps for a while what is freed")
        private = PrivateKey.generate()

        def used() -> int:
            return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

        for _ in range(300):
            self.use(private)
        before = used()
        for _ in range(3000):
            self.use(private)
        self.assertLess(used() - before, 4 << 20)


class Threads(unittest.TestCase):
    def in_threads(self, work: Callable[[], None]) -> None:
        failed: List[BaseException] = []

        def run() -> None:
            try:
                work()
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=run) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failed:
            raise failed[0]

    def test_handles_are_shared(self) -> None:
        private = PrivateKey.generate()
        public, signer = private.public_key, private.signer()
        called = Signer(public, lambda message: Signing.signature(private, message))
        policy = Policy.from_keys([public], name="acme/x:1")
        envelope = touchmark.sign_manifest(MANIFEST, [signer], name="acme/x:1", issued=AT)
        data, digest = envelope.to_json(), touchmark.digest(MANIFEST)

        def work() -> None:
            for _ in range(50):
                self.assertEqual(policy.verify_manifest(MANIFEST, [data], AT).digest, digest)
                self.assertEqual(envelope.verify([public]).payload, envelope.untrusted_payload)
                self.assertEqual(Envelope.sign("text/plain", b"x", [signer, called]).verify([public]).payload, b"x")
                with self.assertRaises(touchmark.Unsigned):
                    policy.verify_manifest(MANIFEST, [], AT)

        self.in_threads(work)

    def test_what_each_thread_raises_is_its_own(self) -> None:
        public = PrivateKey.generate().public_key

        def work() -> None:
            mine = RuntimeError(threading.get_ident())

            def fails(message: bytes) -> bytes:
                raise mine

            signer = Signer(public, fails)
            for _ in range(50):
                with self.assertRaises(RuntimeError) as raised:
                    Envelope.sign("text/plain", b"x", [signer])
                self.assertIs(raised.exception, mine)

        self.in_threads(work)

    def test_closing_takes_nothing_from_a_call_that_runs(self) -> None:
        private = PrivateKey.generate()
        data = Envelope.sign("text/plain", b"x" * 100000, [private.signer()]).to_json()
        pem = private.public_key.to_pem()
        for _ in range(20):
            key, envelope = PublicKey(pem), Envelope(data)
            begun = threading.Event()

            ends: List[Exception] = []

            def work(key: PublicKey = key, envelope: Envelope = envelope, begun: threading.Event = begun, ends: List[Exception] = ends) -> None:
                begun.set()
                try:
                    while True:
                        envelope.verify([key])
                except Exception as error:
                    ends.append(error)

            thread = threading.Thread(target=work)
            thread.start()
            begun.wait()
            key.close()
            envelope.close()
            thread.join()
            self.assertEqual([type(error) for error in ends], [ValueError])


class Signing:
    """Signs as a function would."""

    @staticmethod
    def signature(private: PrivateKey, message: bytes) -> bytes:
        from test_signing import parts_of, signatures_of

        kind, payload = parts_of(message)
        return signatures_of(Envelope.sign(kind, payload, [private.signer()]).to_json())[0]


class Errors(unittest.TestCase):
    def test_every_status_has_its_class(self) -> None:
        hundreds = {
            1: touchmark.InvalidArgument,
            2: touchmark.Malformed,
            3: touchmark.NotVerified,
            4: touchmark.UntrustedMetadata,
            5: touchmark.Refused,
            6: touchmark.CallbackFailed,
            7: touchmark.Unknown,
            9: touchmark.InternalError,
        }
        known = 0
        for status in range(1, 1000):
            kind = errors.class_of(status)
            self.assertTrue(issubclass(kind, hundreds.get(status // 100, touchmark.TouchmarkError)), status)
            name = _native.text_of(_native.lib.touchmark_status_name(status))
            if not name:
                self.assertIn(kind, (hundreds.get(status // 100), touchmark.TouchmarkError))
                continue
            known += 1
            own = "".join(word.capitalize() for word in name.split("_"))
            if hasattr(errors, own):
                self.assertIs(kind, getattr(errors, own), name)
        self.assertGreater(known, 30)

    def test_an_error_tells_everything(self) -> None:
        with self.assertRaises(touchmark.Unsigned) as raised:
            Policy.from_keys([PrivateKey.generate().public_key]).verify_manifest(MANIFEST, [], AT)
        error = raised.exception
        self.assertEqual((error.status, error.status_name), (301, "UNSIGNED"))
        self.assertEqual((error.json["status"], error.json["code"], error.json["message"]), (301, error.code, error.message))
        self.assertEqual(str(error), error.message)
        self.assertIsInstance(error.retryable, bool)
        self.assertTrue(error.code and error.message)

    def test_a_callback_does_not_find_what_an_earlier_one_raised(self) -> None:
        unreachable = ConnectionError("nobody answers")

        def fails() -> int:
            raise unreachable

        def uses_the_library() -> int:
            touchmark.check_name("acme/x")
            return 0

        def function(_error: Any) -> int:
            self.assertEqual((_native.callback(fails), _native.callback(uses_the_library)), (700, 0))
            return 600

        with self.assertRaises(ConnectionError) as raised:
            _native.call(function)
        self.assertIs(raised.exception, unreachable)
        touchmark.check_name("acme/x")

    def test_arguments(self) -> None:
        digest = touchmark.digest(b"")
        policy = Policy.from_keys([PrivateKey.generate().public_key])
        wrong: List[Any] = [
            ("INVALID_NAME", lambda: Policy.from_keys([PrivateKey.generate().public_key], name="../x")),
            ("INVALID_DIGEST", lambda: Request(policy, "sha256:x", AT)),
            ("INVALID_TIME", lambda: Request(policy, digest, 0)),
            ("INVALID_THRESHOLD", lambda: Policy.from_keys([], 1)),
            ("INVALID_UTF8", lambda: PublicKeyText.name(b"\xff\xfe")),
            ("WRONG_STATE", lambda: Search(Request(policy, digest, AT)).finish()),
            ("WRONG_STATE", lambda: Client(AT).provide_done()),
            ("MALFORMED_KEY", lambda: PublicKey(b"no key")),
            ("MALFORMED_JSON", lambda: touchmark.canonical_json(b"{")),
            ("MALFORMED_ENVELOPE", lambda: Envelope(b"{}")),
            ("MALFORMED_POLICY", lambda: PolicyDocument(b"{}")),
            ("POLICY_REJECTED", lambda: PolicyDocument(b'{"version":1,"rules":[]}').decide(name="acme/x")),
            ("UNTRUSTED_METADATA", lambda: SupplyChain(b"{}", [PrivateKey.generate().public_key], AT).run(lambda *_: touchmark.ABSENT, lambda *_: [])),
        ]
        for name, work in wrong:
            with self.subTest(name), self.assertRaises(touchmark.TouchmarkError) as raised:
                work()
            self.assertEqual(raised.exception.status_name, name)


class PublicKeyText:
    @staticmethod
    def name(text: bytes) -> None:
        _native.call(_native.lib.touchmark_name_check, _native.data_in(text))
