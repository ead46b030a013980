"""Public keys, private keys, and signers, which may be callbacks."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Callable, Optional, Type, TypeVar, Union

from ._native import SIGN, BytesLike, FilePath, Handle, Out, Text, bytes_of, call, callback, data_in, handle_in, lib, made, owner, text_in, text_of, written

_ALGORITHMS = {1: "ed25519", 2: "ecdsa-p256", 3: "ecdsa-p384", 4: "rsa-pss"}
_PublicKey = owner("public_key")
_PrivateKey = owner("private_key")
_Signer = owner("signer")


def _algorithm(name: str) -> int:
    for number, known in _ALGORITHMS.items():
        if name == known:
            return number
    raise ValueError(f"{name!r} is no algorithm; {', '.join(_ALGORITHMS.values())} are")


K = TypeVar("K", bound="PublicKey")


class PublicKey(Handle):
    """A public key. Keys are equal if they are the same key, in whatever encoding they were read."""

    def __init__(self, pem_or_der: Text) -> None:
        self._owned = made(_PublicKey, lib.touchmark_public_key_read, text_in(pem_or_der))

    @classmethod
    def from_file(cls: Type[K], path: FilePath) -> K:
        """Reads a file."""
        return cls(Path(path).read_bytes())

    @classmethod
    def from_raw(cls: Type[K], algorithm: str, raw: BytesLike) -> K:
        """The key of its bytes alone: 32 for Ed25519, a point for ECDSA."""
        return cls._wrap(made(_PublicKey, lib.touchmark_public_key_from_raw, _algorithm(algorithm), data_in(raw)))

    @property
    def algorithm(self) -> str:
        """``ed25519``, ``ecdsa-p256``, ``ecdsa-p384`` or ``rsa-pss``."""
        number = int(lib.touchmark_public_key_algorithm(self._pointer))
        return _ALGORITHMS.get(number, str(number))

    @property
    def raw(self) -> bytes:
        """The key's bytes alone."""
        return bytes_of(lib.touchmark_public_key_raw(self._pointer))

    @property
    def key_id(self) -> str:
        """The key's identifier."""
        return text_of(lib.touchmark_public_key_id(self._pointer))

    def to_pem(self) -> bytes:
        """The key as PEM."""
        return written(lib.touchmark_public_key_to_pem, self._pointer)

    def verify(self, message: BytesLike, signature: BytesLike) -> None:
        """Raises BadSignature unless the signature is by this key over this message."""
        call(lib.touchmark_public_key_verify, self._pointer, data_in(message), data_in(signature))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PublicKey):
            return NotImplemented
        return (self.algorithm, self.raw) == (other.algorithm, other.raw)

    def __hash__(self) -> int:
        return hash((self.algorithm, self.raw))


class PrivateKey(Handle):
    """A private key. The library wipes its own copy; what Python was given as bytes, Python keeps as long as it likes."""

    def __init__(self, pem_or_der: Text, passphrase: Optional[Text] = None) -> None:
        self._owned = made(_PrivateKey, lib.touchmark_private_key_read, text_in(pem_or_der), text_in(passphrase))

    @classmethod
    def from_file(cls, path: FilePath, passphrase: Optional[Text] = None) -> PrivateKey:
        """Reads a file."""
        return cls(Path(path).read_bytes(), passphrase)

    @classmethod
    def generate(cls, algorithm: str = "ed25519") -> PrivateKey:
        """A new key: ``ed25519`` or ``ecdsa-p256``."""
        return cls._wrap(made(_PrivateKey, lib.touchmark_private_key_generate, _algorithm(algorithm)))

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        return PublicKey._wrap(made(_PublicKey, lib.touchmark_private_key_public, self._pointer))

    def to_pem(self) -> bytes:
        """The key as PEM that is not encrypted."""
        return written(lib.touchmark_private_key_to_pem, self._pointer)

    def to_encrypted_pem(self, passphrase: Text) -> bytes:
        """The key as PEM that the passphrase opens."""
        return written(lib.touchmark_private_key_to_encrypted_pem, self._pointer, text_in(passphrase))

    def signer(self) -> Signer:
        """What signs with this key."""
        return Signer(self)


class Signer(Handle):
    """What signs: a private key, or a function with the public key that belongs to it.

    The function gets the message and returns the signature: 64 bytes for Ed25519, DER for ECDSA, of the message itself, which is not hashed
    yet. What it returns is verified before it is used. What it raises is raised by the call that wanted a signature. A signer that is used
    from several threads calls the function in all of them.
    """

    def __init__(self, key: Union[PrivateKey, PublicKey], sign: Optional[Callable[[bytes], BytesLike]] = None) -> None:
        if sign is None:
            self._owned = made(_Signer, lib.touchmark_signer_from_key, handle_in(key, PrivateKey))
            return
        function = sign

        def signature(_userdata: Optional[int], message: Out, sink: int) -> int:
            def work() -> int:
                return int(lib.touchmark_sink_append(sink, data_in(function(bytes_of(message)))))

            return callback(work)

        native = SIGN(signature)
        pointer = ctypes.cast(native, ctypes.c_void_p)
        self._owned = made(_Signer, lib.touchmark_signer_from_callback, handle_in(key, PublicKey), pointer, None)
        self._owned.keep = native
