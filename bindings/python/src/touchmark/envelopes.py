"""DSSE envelopes: reading, verifying, signing."""

from __future__ import annotations

from typing import Iterable, Mapping, Optional, Tuple

from ._native import (
    BytesLike,
    Handle,
    Text,
    Time,
    bytes_of,
    count_in,
    data_in,
    handle_in,
    handles_in,
    lib,
    made,
    owner,
    pairs_in,
    text_in,
    text_of,
    time_in,
    written,
)
from .digests import check_name
from .keys import PublicKey, Signer

_Envelope = owner("envelope")
_VerifiedEnvelope = owner("verified_envelope")


class Envelope(Handle):
    """An envelope as it was read. Nothing in it is verified."""

    def __init__(self, data: Text) -> None:
        self._owned = made(_Envelope, lib.touchmark_envelope_parse, text_in(data))

    @classmethod
    def sign(cls, payload_type: str, payload: BytesLike, signers: Iterable[Signer]) -> Envelope:
        """A new envelope, signed by each signer."""
        array, count = handles_in(signers, Signer)
        return cls._wrap(made(_Envelope, lib.touchmark_envelope_sign, text_in(payload_type), data_in(payload), array, count))

    def add_signature(self, signer: Signer) -> Envelope:
        """This envelope with one more signature."""
        return Envelope._wrap(made(_Envelope, lib.touchmark_envelope_add_signature, self._pointer, handle_in(signer, Signer)))

    def verify(self, keys: Iterable[PublicKey], threshold: int = 1) -> VerifiedEnvelope:
        """Raises ThresholdNotReached unless ``threshold`` of the keys have signed."""
        array, count = handles_in(keys, PublicKey)
        made_pointer = made(_VerifiedEnvelope, lib.touchmark_envelope_verify, self._pointer, array, count, count_in(threshold))
        return VerifiedEnvelope._wrap(made_pointer)

    @property
    def payload_type(self) -> str:
        """What the payload claims to be."""
        return text_of(lib.touchmark_envelope_payload_type(self._pointer))

    @property
    def untrusted_payload(self) -> bytes:
        """The payload, which anybody may have written."""
        return bytes_of(lib.touchmark_envelope_untrusted_payload(self._pointer))

    @property
    def signature_keyids(self) -> Tuple[str, ...]:
        """The keyid beside each signature: a hint, and often empty."""
        pointer = self._pointer
        return tuple(
            text_of(lib.touchmark_envelope_signature_keyid(pointer, index)) for index in range(lib.touchmark_envelope_signature_count(pointer))
        )

    def to_json(self) -> bytes:
        """The envelope as JSON."""
        return written(lib.touchmark_envelope_to_json, self._pointer)


class VerifiedEnvelope(Handle):
    """The payload of an envelope that enough keys signed. Made by Envelope.verify alone."""

    @property
    def payload(self) -> bytes:
        """The bytes that were signed."""
        return bytes_of(lib.touchmark_verified_envelope_payload(self._pointer))

    @property
    def payload_type(self) -> str:
        """The type that was signed with them."""
        return text_of(lib.touchmark_verified_envelope_payload_type(self._pointer))

    @property
    def key_ids(self) -> Tuple[str, ...]:
        """The identifiers of the keys that signed, each once."""
        pointer = self._pointer
        count = lib.touchmark_verified_envelope_key_count(pointer)
        return tuple(text_of(lib.touchmark_verified_envelope_key_id(pointer, index)) for index in range(count))


def sign_manifest(
    manifest: BytesLike,
    signers: Iterable[Signer],
    *,
    issued: Time,
    expires: Optional[Time] = None,
    name: Optional[str] = None,
    media_type: Optional[str] = None,
    annotations: Optional[Mapping[str, str]] = None,
) -> Envelope:
    """Signs a manifest, under a NAME or NAME:VERSION if one is given. The media type is the manifest's own unless it is given."""
    # In C no name is the empty one, and 0 is never: what was given must not become that.
    if name is not None:
        check_name(name)
    end = 0 if expires is None else time_in(expires) or -1
    pairs, pair_count = pairs_in(annotations)
    array, count = handles_in(signers, Signer)
    arguments = (data_in(manifest), text_in(media_type), text_in(name), pairs, pair_count, time_in(issued), end, array, count)
    return Envelope._wrap(made(_Envelope, lib.touchmark_sign_manifest, *arguments))
