"""Canonical JSON, digests and names."""

from __future__ import annotations

from typing import BinaryIO, Optional

from ._native import BytesLike, Handle, call, data_in, lib, made, owner, text_in, written

_ALGORITHMS = {"sha256": (1, 32), "sha512": (2, 64)}
_Hasher = owner("hasher")


def _algorithm(name: str) -> int:
    if name not in _ALGORITHMS:
        raise ValueError(f"{name!r} is no algorithm; sha256 and sha512 are")
    return _ALGORITHMS[name][0]


def canonical_json(document: BytesLike) -> bytes:
    """The canonical form of a JSON document."""
    return written(lib.touchmark_canonical_json, data_in(document))


def digest(data: BytesLike, algorithm: str = "sha256") -> str:
    """The digest of some bytes, as ``sha256:...``."""
    return written(lib.touchmark_digest, _algorithm(algorithm), data_in(data)).decode()


def file_digest(file: BinaryIO, algorithm: str = "sha256") -> str:
    """The digest of what is left to read of a file, as ``sha256:...``."""
    with Hasher(algorithm) as hasher:
        while data := file.read(1 << 20):
            hasher.update(data)
        return hasher.oci


def check_name(name: str) -> None:
    """Raises unless ``name`` is a NAME or NAME:VERSION."""
    call(lib.touchmark_name_check, text_in(name))


class Hasher(Handle):
    """A digest of bytes that come in pieces, used as those of hashlib are. After the digest was asked for, nothing can be added."""

    def __init__(self, algorithm: str = "sha256", data: BytesLike = b"") -> None:
        self._owned = made(_Hasher, lib.touchmark_hasher_new, _algorithm(algorithm))
        self._digest: Optional[str] = None
        self.name = algorithm
        self.digest_size = _ALGORITHMS[algorithm][1]
        if data:
            self.update(data)

    def update(self, data: BytesLike) -> None:
        """Adds bytes."""
        call(lib.touchmark_hasher_update, self._pointer, data_in(data))

    @property
    def oci(self) -> str:
        """The digest as ``sha256:...``."""
        if self._digest is None:
            self._digest = written(lib.touchmark_hasher_finish, self._pointer).decode()
        return self._digest

    def hexdigest(self) -> str:
        """The digest in hexadecimal digits."""
        return self.oci.partition(":")[2]

    def digest(self) -> bytes:
        """The digest's bytes."""
        return bytes.fromhex(self.hexdigest())
