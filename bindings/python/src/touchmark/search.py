"""The search for what an artifact is verified by, wherever it is stored: the library says what it needs, the caller gets it."""

from __future__ import annotations

import enum
from ctypes import byref
from dataclasses import dataclass
from typing import Iterable, Optional, Tuple, Union

from . import _native
from ._native import BytesLike, Exclusive, Handle, Time, alone, call, count_in, data_in, datas_in, handle_in, lib, made, message_in, owner, text_in, text_of, time_in
from .artifacts import VerifiedArtifact, _VerifiedArtifact
from .failures import ABSENT, Absent, Answer, Failure, answered, failure_of
from .policies import Policy

_Request = owner("request")
_Search = owner("search")


class NeedKind(enum.IntEnum):
    """What a search needs."""

    DONE = 0
    MANIFEST = 1
    REFERRERS = 2
    BLOB = 3
    HASH = 4


@dataclass(frozen=True)
class Need:
    """What a search needs next: ``limit`` bytes at most, and for referrers ``entries`` at most. For HASH, ``limit`` is the blob's size."""

    kind: NeedKind
    digest: str
    limit: int
    entries: int
    thorough: bool


class Store:
    """Where artifacts are, for Search.run. Subclasses say how each thing is got; ``ABSENT`` is "there is none", an OSError "could not find out",
    and None no answer."""

    def manifest(self, digest: str, limit: int) -> Answer:
        """The manifest with this digest."""
        raise NotImplementedError

    def blob(self, digest: str, limit: int) -> Answer:
        """The blob with this digest."""
        raise NotImplementedError

    def referrers(self, need: Need) -> Union[Tuple[BytesLike, bool, bool], Absent]:
        """An image index of what refers to a digest; whether it is the whole list; and whether a thorough look may find more."""
        raise NotImplementedError

    def hash(self, digest: str, size: int) -> Union[Tuple[str, int], Absent]:
        """The digest, computed from the blob's bytes, and their number. The blob may be large."""
        data = answered(self.blob(digest, size))
        return ABSENT if data is ABSENT else (_digest(data, digest), len(data))


def _digest(data: BytesLike, like: str) -> str:
    from .digests import digest

    return digest(data, like.partition(":")[0])


class Request(Handle):
    """What is asked: a policy, the digest of an artifact and a time. ``covered_by`` is the digest of a signed index that lists the artifact,
    ``platform`` an ``os/arch`` of an index; ``envelopes``, also if there are none of them, are the only evidence, and no referrers are asked for;
    ``deep`` verifies every blob's bytes too.
    """

    def __init__(
        self,
        policy: Policy,
        digest: str,
        at: Time,
        *,
        covered_by: Optional[str] = None,
        platform: Optional[str] = None,
        envelopes: Optional[Iterable[BytesLike]] = None,
        deep: bool = False,
    ) -> None:
        self._owned = made(_Request, lib.touchmark_request_new, handle_in(policy, Policy), text_in(digest), time_in(at))
        if covered_by is not None:
            call(lib.touchmark_request_covered_by, self._pointer, text_in(covered_by))
        if platform is not None:
            call(lib.touchmark_request_platform, self._pointer, text_in(platform))
        if envelopes is not None:
            array, count = datas_in(envelopes)
            call(lib.touchmark_request_envelopes, self._pointer, array, count)
        if deep:
            call(lib.touchmark_request_deep, self._pointer)


class Search(Exclusive):
    """A search by steps: ``next``, then one of the ``provide_`` methods, until DONE; then ``finish``. One thread at a time. ``run`` does it all;
    until it ends, all else is WrongState."""

    def __init__(self, request: Request) -> None:
        super().__init__(made(_Search, lib.touchmark_search_new, handle_in(request, Request)))

    @alone
    def next(self) -> Need:
        """What is needed next. Asking twice gives the same."""
        need = _native.Need()
        call(lib.touchmark_search_next, self._pointer, byref(need))
        return Need(NeedKind(need.kind), text_of(need.digest), need.limit, need.entries, bool(need.thorough))

    @alone
    def provide_bytes(self, data: BytesLike) -> None:
        """Gives a manifest or a blob."""
        call(lib.touchmark_search_provide_bytes, self._pointer, data_in(data))

    @alone
    def provide_hash(self, digest: str, size: int) -> None:
        """Gives the digest and the size that were computed from a blob's bytes."""
        call(lib.touchmark_search_provide_hash, self._pointer, text_in(digest), count_in(size))

    @alone
    def provide_referrers(self, index: BytesLike, *, complete: bool, more: bool = False) -> None:
        """Gives an image index of referrers."""
        call(lib.touchmark_search_provide_referrers, self._pointer, data_in(index), int(bool(complete)), int(bool(more)))

    @alone
    def provide_failure(self, failure: Failure, message: str = "") -> None:
        """Says why it could not be had."""
        call(lib.touchmark_search_provide_failure, self._pointer, int(Failure(failure)), text_in(message))

    @alone
    def finish(self) -> VerifiedArtifact:
        """The outcome: raises unless the artifact is verified."""
        return VerifiedArtifact._wrap(made(_VerifiedArtifact, lib.touchmark_search_finish, self._pointer))

    def run(self, store: Store) -> VerifiedArtifact:
        """Gets what is needed from ``store`` until the outcome is known."""
        with self._driven() as search:
            while (need := search.next()).kind is not NeedKind.DONE:
                try:
                    search._provide(store, need)
                except OSError as error:
                    call(lib.touchmark_search_provide_failure, search._pointer, int(failure_of(error)), message_in(error))
            return search.finish()

    def _provide(self, store: Store, need: Need) -> None:
        if need.kind is NeedKind.REFERRERS:
            listed = answered(store.referrers(need))
            if listed is not ABSENT:
                return self.provide_referrers(listed[0], complete=listed[1], more=listed[2])
        elif need.kind is NeedKind.HASH:
            computed = answered(store.hash(need.digest, need.limit))
            if computed is not ABSENT:
                return self.provide_hash(*computed)
        else:
            get = store.manifest if need.kind is NeedKind.MANIFEST else store.blob
            data = answered(get(need.digest, need.limit))
            if data is not ABSENT:
                return self.provide_bytes(data)
        self.provide_failure(Failure.NOT_FOUND)
