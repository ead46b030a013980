"""Keys, signers, envelopes, and manifests that are verified by them."""

from __future__ import annotations

import array
import hashlib
import io
import tempfile
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, List

import touchmark
from touchmark import Envelope, Hasher, Policy, PrivateKey, PublicKey, Signer, sign_manifest

AT = 1795824000
MANIFEST = b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.empty.v1+json",'
MANIFEST += b'"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}'


class Digests(unittest.TestCase):
    def test_digests_are_those_of_hashlib(self) -> None:
        for algorithm in ("sha256", "sha512"):
            hasher, other = Hasher(algorithm), hashlib.new(algorithm)
            for piece in (b"one", bytearray(b"two"), memoryview(b"three"), memoryview(b"f-o-u-r")[::2], array.array("H", [1, 2]), b""):
                hasher.update(piece)  # type: ignore[arg-type]
                other.update(bytes(memoryview(piece)))
            self.assertEqual((hasher.digest(), hasher.hexdigest()), (other.digest(), other.hexdigest()))
            self.assertEqual((hasher.name, hasher.digest_size), (other.name, other.digest_size))
            self.assertEqual(hasher.oci, f"{algorithm}:{other.hexdigest()}")
            self.assertEqual(touchmark.digest(b"x" * 100000, algorithm), touchmark.file_digest(io.BytesIO(b"x" * 100000), algorithm))

    def test_nothing_is_added_to_a_digest(self) -> None:
        hasher = Hasher()
        hasher.digest()
        with self.assertRaises(touchmark.WrongState):
            hasher.update(b"more")

    def test_what_is_no_bytes_is_refused(self) -> None:
        nothing: Any
        for nothing in (5, "text", None, [1, 2]):
            with self.assertRaises(TypeError):
                touchmark.digest(nothing)

    def test_names_and_canonical_json(self) -> None:
        touchmark.check_name("acme/net-monitor:1.2.0")
        with self.assertRaises(touchmark.InvalidArgument) as raised:
            touchmark.check_name("acme/../x")
        self.assertEqual(raised.exception.status_name, "INVALID_NAME")
        self.assertEqual(touchmark.canonical_json(b'{ "b": 1, "a": "\\u00e4" }'), '{"a":"ä","b":1}'.encode())


class Keys(unittest.TestCase):
    def test_a_key_is_the_same_in_every_form(self) -> None:
        for algorithm in ("ed25519", "ecdsa-p256"):
            private = PrivateKey.generate(algorithm)
            public = private.public_key
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, "key.pub")
                path.write_bytes(public.to_pem())
                forms = [PublicKey(public.to_pem()), PublicKey(public.to_pem().decode()), PublicKey.from_raw(algorithm, public.raw), PublicKey.from_file(path)]
            for form in forms:
                self.assertEqual((form, form.key_id, form.algorithm, hash(form)), (public, public.key_id, algorithm, hash(public)))
            self.assertNotEqual(public, PrivateKey.generate(algorithm).public_key)
            self.assertNotEqual(public, "a key")

    def test_a_passphrase_opens_a_key(self) -> None:
        private = PrivateKey.generate()
        sealed = private.to_encrypted_pem("a passphrase")
        self.assertEqual(PrivateKey(sealed, "a passphrase").public_key, private.public_key)
        self.assertEqual(PrivateKey(private.to_pem()).public_key, private.public_key)
        with self.assertRaises(touchmark.WrongPassphrase):
            PrivateKey(sealed, "another")

    def test_a_private_key_is_no_public_key(self) -> None:
        with self.assertRaises(touchmark.TouchmarkError):
            PublicKey(PrivateKey.generate().to_pem())


class Envelopes(unittest.TestCase):
    def setUp(self) -> None:
        self.alice, self.bob = PrivateKey.generate(), PrivateKey.generate("ecdsa-p256")
        self.keys = [self.alice.public_key, self.bob.public_key]

    def test_a_threshold_is_reached_or_not(self) -> None:
        one = Envelope.sign("text/plain", b"hello", [self.alice.signer()])
        with self.assertRaises(touchmark.ThresholdNotReached):
            one.verify(self.keys, 2)
        both = Envelope(one.add_signature(self.bob.signer()).to_json())
        verified = both.verify(self.keys, 2)
        self.assertEqual((verified.payload, verified.payload_type), (b"hello", "text/plain"))
        self.assertEqual(sorted(verified.key_ids), sorted(key.key_id for key in self.keys))
        self.assertEqual((both.payload_type, both.untrusted_payload, len(both.signature_keyids)), ("text/plain", b"hello", 2))

    def test_thresholds_that_are_none(self) -> None:
        envelope = Envelope.sign("text/plain", b"", [self.alice.signer()])
        for threshold in (0, 3):
            with self.assertRaises(touchmark.InvalidArgument):
                envelope.verify(self.keys, threshold)
        wrong: Any
        for wrong, error in ((-1, ValueError), (2**64, ValueError), (True, TypeError), (1.0, TypeError)):
            with self.assertRaises(error):
                envelope.verify(self.keys, wrong)

    def test_a_single_signer_or_key_stands_for_a_list(self) -> None:
        anything: Any = self.alice.signer()
        envelope = Envelope.sign("text/plain", b"hello", anything)
        key: Any = self.alice.public_key
        self.assertEqual(envelope.verify(key).payload, b"hello")

    def test_a_manifest_is_verified(self) -> None:
        envelope = sign_manifest(MANIFEST, [self.alice.signer()], name="acme/x:1", issued=AT, expires=AT + 10, annotations={"a": "b"})
        policy = Policy.from_keys(self.keys, name="acme/x:1", annotations={"a": "b"})
        verified = policy.verify_manifest(bytearray(MANIFEST), [memoryview(envelope.to_json())], AT)
        self.assertEqual((verified.digest, verified.name, verified.size), (touchmark.digest(MANIFEST), "acme/x:1", len(MANIFEST)))
        self.assertEqual((verified.manifest, verified.media_type), (MANIFEST, "application/vnd.oci.image.manifest.v1+json"))
        self.assertIsInstance(verified.report, dict)
        data = envelope.to_json()
        for other, error in (
            (Policy.from_keys(self.keys, name="acme/x:2"), touchmark.NotVerified),
            (Policy.from_keys(self.keys, annotations={"a": "c"}), touchmark.NotVerified),
            (Policy.from_keys([self.bob.public_key]), touchmark.NotVerified),
        ):
            with self.assertRaises(error):
                other.verify_manifest(MANIFEST, [data], AT)
        with self.assertRaises(touchmark.NotVerified):
            policy.verify_manifest(MANIFEST, [data], AT + 10)
        with self.assertRaises(touchmark.Unsigned):
            policy.verify_manifest(MANIFEST, [], AT)
        unnamed = Policy.from_keys(self.keys).verify_manifest(MANIFEST, [data], AT)
        self.assertIsNone(unnamed.name)

    def test_an_expiry_is_never_never_nor_an_empty_name_none(self) -> None:
        for expires in (0, -1, datetime.fromtimestamp(0, timezone.utc)):
            with self.assertRaises(touchmark.InvalidArgument) as raised:
                sign_manifest(MANIFEST, [self.alice.signer()], issued=AT, expires=expires)
            self.assertEqual(raised.exception.status_name, "INVALID_TIME")
        with self.assertRaises(touchmark.InvalidArgument) as raised:
            sign_manifest(MANIFEST, [self.alice.signer()], issued=AT, name="")
        self.assertEqual(raised.exception.status_name, "INVALID_NAME")

    def test_what_is_asked_is_asked_whole(self) -> None:
        with self.assertRaises(touchmark.InvalidArgument):
            Policy.from_keys(self.keys, name="")
        wrong: Any
        for wrong in ({"a": None}, {"a": b"b"}, {None: "b"}):
            with self.assertRaises(TypeError):
                Policy.from_keys(self.keys, annotations=wrong)
            with self.assertRaises(TypeError):
                sign_manifest(MANIFEST, [self.alice.signer()], issued=AT, annotations=wrong)
        for wrong in ("", [("a", "b")]):
            with self.assertRaises(AttributeError):
                Policy.from_keys(self.keys, annotations=wrong)
        chain = (b"{}", self.keys)
        Policy.from_keys(self.keys, supply_chain=chain)
        for wrong in ([chain, chain], [chain]):
            with self.assertRaises((TypeError, ValueError)):
                Policy.from_keys(self.keys, supply_chain=wrong)

    def test_times(self) -> None:
        policy = Policy.from_keys(self.keys)
        data = [sign_manifest(MANIFEST, [self.alice.signer()], issued=AT, expires=AT + 10).to_json()]
        zone = timezone(timedelta(hours=5))
        policy.verify_manifest(MANIFEST, data, datetime.fromtimestamp(AT + 9.9, zone))
        with self.assertRaises(touchmark.NotVerified):
            policy.verify_manifest(MANIFEST, data, datetime.fromtimestamp(AT + 10, zone))
        wrong: Any
        for wrong, error in (
            (datetime.fromtimestamp(AT), ValueError),
            (float(AT), TypeError),
            (True, TypeError),
            (None, TypeError),
            (2**63, ValueError),
            (0, touchmark.InvalidArgument),
            (-1, touchmark.InvalidArgument),
            (datetime(1969, 1, 1, tzinfo=timezone.utc), touchmark.InvalidArgument),
        ):
            with self.subTest(at=wrong), self.assertRaises(error):
                policy.verify_manifest(MANIFEST, data, wrong)


class CallbackSigners(unittest.TestCase):
    def setUp(self) -> None:
        self.private = PrivateKey.generate()
        self.public = self.private.public_key

    def sign(self, message: bytes) -> bytes:
        """The signature over a message, out of an envelope that has the same one: the message is what DSSE signs of type and payload."""
        kind, payload = parts_of(message)
        envelope = Envelope.sign(kind, payload, [self.private.signer()])
        return signatures_of(envelope.to_json())[0]

    def test_a_function_signs(self) -> None:
        signer = Signer(self.public, self.sign)
        envelope = Envelope.sign("text/plain", b"hello", [signer, signer])
        self.assertEqual(envelope.verify([self.public]).payload, b"hello")
        for form in (bytearray, memoryview):
            sign_manifest(MANIFEST, [Signer(self.public, lambda message: form(self.sign(message)))], issued=AT)

    def test_a_signature_that_is_none_is_refused(self) -> None:
        signature: bytes
        for signature, kind in ((b"", touchmark.BadSignature), (b"\0" * 64, touchmark.BadSignature), (b"x" * 100000, touchmark.CallbackFailed)):
            signer = Signer(self.public, lambda message, signature=signature: signature)  # type: ignore[misc]
            with self.assertRaises(kind):
                Envelope.sign("text/plain", b"hello", [signer])

    def test_what_a_signer_raises_is_raised(self) -> None:
        class Mine(Exception):
            pass

        class MineToo(BaseException):
            pass

        given: BaseException
        for given in (Mine("no"), MineToo("no"), KeyboardInterrupt()):

            def fails(message: bytes, given: BaseException = given) -> bytes:
                raise given

            with self.assertRaises(type(given)) as raised:
                Envelope.sign("text/plain", b"hello", [Signer(self.public, fails)])
            self.assertIs(raised.exception, given)
        # The next call does not find it.
        Envelope.sign("text/plain", b"hello", [self.private.signer()])
        unreachable = OSError("no connection")

        def unreached(message: bytes) -> bytes:
            raise unreachable

        with self.assertRaises((OSError, touchmark.TouchmarkError)) as told:
            Envelope.sign("text/plain", b"hello", [Signer(self.public, unreached)])
        self.assertTrue(told.exception is unreachable or told.exception.__cause__ is unreachable)
        nothing: Any = lambda message: None  # noqa: E731
        with self.assertRaises(TypeError):
            Envelope.sign("text/plain", b"hello", [Signer(self.public, nothing)])

    def test_a_signer_uses_the_library(self) -> None:
        def sign(message: bytes) -> bytes:
            with self.assertRaises(touchmark.InvalidArgument):
                touchmark.check_name("")
            return self.sign(message)

        self.assertEqual(Envelope.sign("text/plain", b"hello", [Signer(self.public, sign)]).verify([self.public]).payload, b"hello")

    def test_a_function_wants_a_public_key_and_a_key_a_private_one(self) -> None:
        anything: Any = self.private
        with self.assertRaises(TypeError):
            Signer(anything, self.sign)
        with self.assertRaises(TypeError):
            Signer(self.public)


def parts_of(message: bytes) -> List[Any]:
    """Type and payload of what DSSE signs: `DSSEv1 LENGTH TYPE LENGTH PAYLOAD`."""
    _, _, rest = message.partition(b" ")
    parts: List[Any] = []
    while rest:
        length, _, rest = rest.partition(b" ")
        parts.append(rest[: int(length)])
        rest = rest[int(length) + 1 :]
    if len(parts) == 1:
        parts.append(b"")
    return [parts[0].decode(), parts[1]]


def signatures_of(envelope: bytes) -> List[bytes]:
    """The signatures in an envelope's JSON."""
    import base64
    import json

    return [base64.b64decode(signature["sig"]) for signature in json.loads(envelope)["signatures"]]
