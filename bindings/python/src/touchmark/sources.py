"""With files: artifacts in OCI layouts, policy files, and trust roots with a store."""

from __future__ import annotations

import contextlib
import ctypes
import json
from typing import Any, Iterable, Iterator, Optional

from ._native import (
    FETCH,
    Exclusive,
    FilePath,
    Handle,
    Out,
    Pointer,
    Text,
    Time,
    alone,
    call,
    callback,
    data_in,
    handle_in,
    handles_in,
    lib,
    made,
    message_in,
    owner,
    path_in,
    text_in,
    text_of,
    time_in,
    wanted_in,
    written,
)
from .artifacts import VerifiedArtifact, _VerifiedArtifact
from .envelopes import Envelope
from .failures import ABSENT, answered
from .policies import Policy
from .search import Request
from .tuf import Fetch, Standing, _Standing

_Source = owner("source")
_PolicyFile = owner("policy_file")
_TrustRoot = owner("trust_root")


class Source(Handle):
    """An artifact in an OCI layout: ``oci:PATH[:TAG][@DIGEST]`` for a folder, ``oci-archive:...`` for a tar."""

    def __init__(self, reference: str) -> None:
        self._owned = made(_Source, lib.touchmark_source_open, path_in(reference))

    @property
    def digest(self) -> str:
        """The digest of what the reference names."""
        return written(lib.touchmark_source_digest, self._pointer).decode()

    @property
    def manifest(self) -> bytes:
        """The manifest of what the reference names."""
        return written(lib.touchmark_source_manifest, self._pointer)

    def verify(self, policy: Policy, at: Time) -> VerifiedArtifact:
        """Verifies it by what is stored with it."""
        arguments = (self._pointer, handle_in(policy, Policy), time_in(at))
        return VerifiedArtifact._wrap(made(_VerifiedArtifact, lib.touchmark_source_verify, *arguments))

    def verify_request(self, request: Request) -> VerifiedArtifact:
        """Verifies what a request asks about."""
        arguments = (self._pointer, handle_in(request, Request))
        return VerifiedArtifact._wrap(made(_VerifiedArtifact, lib.touchmark_source_verify_request, *arguments))

    def attach(self, envelopes: Iterable[Envelope]) -> None:
        """Stores envelopes with it; folders only."""
        array, count = handles_in(envelopes, Envelope)
        call(lib.touchmark_source_attach, self._pointer, array, count)


class PolicyFile(Handle):
    """A policy in a file, with the keys, roots and layouts that it names."""

    def __init__(self, path: FilePath) -> None:
        self._owned = made(_PolicyFile, lib.touchmark_policy_file_open, path_in(path))

    def verify(self, source: Source, at: Time, *, name: Optional[str] = None, platform: Optional[str] = None) -> VerifiedArtifact:
        """Verifies an artifact by the rule that decides for it: under ``name``, a NAME, NAME:VERSION or NAME:*, which rules with ``names`` are for. With
        ``platform``, an ``os/arch``, what is verified is the image that an index lists for it, if the rule lets the index decide.
        """
        arguments = (self._pointer, handle_in(source, Source), wanted_in(name), wanted_in(platform), time_in(at))
        return VerifiedArtifact._wrap(made(_VerifiedArtifact, lib.touchmark_policy_file_verify, *arguments))


class TrustRoot(Exclusive):
    """A trust root with a store in a folder. ``metadata`` is a folder, or a function ``fetch(path, limit)`` that returns a file's bytes, or
    ``ABSENT`` if there is none; an OSError is "could not find out", and None and any other exception end the call. ``fetch_target`` is one for targets,
    such as the policy that the repository signs. One thread at a time.
    """

    def __init__(
        self,
        root: Text,
        metadata: FilePath | Fetch,
        store: FilePath,
        at: Time,
        *,
        fetch_target: Optional[Fetch] = None,
    ) -> None:
        if not callable(metadata):
            if fetch_target is not None:
                raise TypeError("targets are in the folder of the metadata")
            super().__init__(made(_TrustRoot, lib.touchmark_trust_root_open, text_in(root), path_in(metadata), path_in(store), time_in(at)))
            return
        native = (_native_fetch(metadata), _native_fetch(fetch_target) if fetch_target else None)
        pointers = [ctypes.cast(function, ctypes.c_void_p) if function else None for function in native]
        arguments = (text_in(root), *pointers, None, path_in(store), time_in(at))
        pointer = made(_TrustRoot, lib.touchmark_trust_root_open_with, *arguments)
        pointer.keep = native
        super().__init__(pointer)

    def close(self) -> None:
        """Gives the handle back, and with it the store, which is locked until then: at once, or when the call that runs ends. A copy is closed too."""
        pointer, self._owned = self._owned, None
        if pointer is not None:
            self._free(pointer)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        pointer = self._pointer
        try:
            with super()._alone():
                yield
        finally:
            if self._owned is None:
                self._free(pointer)

    def _free(self, pointer: Pointer) -> None:
        # Not when nobody refers to it any more: an exception does, which may be kept, or may be why the same store is opened again.
        if self._used.acquire(blocking=False):  # whoever uses it frees it then
            try:
                pointer.free()
            finally:
                self._used.release()

    @alone
    def verify(self, source: Source, name: str, at: Time, *, platform: Optional[str] = None) -> VerifiedArtifact:
        """Verifies that an artifact is ``name``, a NAME, NAME:VERSION or NAME:*, by what the trust root says and by the policy that its repository signs
        itself, where it has one. With ``platform``, an ``os/arch``, what is verified is the image that an index lists for it.
        """
        arguments = (self._pointer, handle_in(source, Source), text_in(name), wanted_in(platform), time_in(at))
        return VerifiedArtifact._wrap(made(_VerifiedArtifact, lib.touchmark_trust_root_verify, *arguments))

    @alone
    def standing(self, name: str) -> Standing:
        """What the trust root says of a NAME or NAME:VERSION, for ``Policy.from_standing``. It is the metadata's word alone: the policy that the
        repository signs itself is asked by ``verify``.
        """
        return Standing._wrap(made(_Standing, lib.touchmark_trust_root_standing, self._pointer, text_in(name)))

    @alone
    def target(self, path: str) -> bytes:
        """The verified bytes of a target. Raises NotFound if nobody lists it."""
        return written(lib.touchmark_trust_root_target, self._pointer, text_in(path))

    @property
    @alone
    def notes(self) -> Any:
        """What is worth knowing beside the answers: such as that the source was not reached."""
        return json.loads(written(lib.touchmark_trust_root_notes_json, self._pointer))


def _native_fetch(fetch: Fetch) -> Any:
    def fetched(_userdata: Optional[int], path: Out, limit: int, sink: int) -> int:
        def work() -> int:
            try:
                data = answered(fetch(text_of(path), limit))
            except OSError as error:
                lib.touchmark_sink_fail(sink, message_in(error))
                raise
            return 701 if data is ABSENT else int(lib.touchmark_sink_append(sink, data_in(data)))

        return callback(work)

    return FETCH(fetched)
