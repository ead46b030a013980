"""The Update Framework: a client by steps, targets, and what a trust root says of a name."""

from __future__ import annotations

import enum
import json
from ctypes import byref
from dataclasses import dataclass
from typing import Any, Callable, Dict, MutableMapping

from . import _native
from ._native import BytesLike, Exclusive, Handle, Time, alone, bytes_of, call, data_in, lib, made, message_in, owner, text_in, text_of, time_in, written
from .failures import ABSENT, Answer, Failure, answered, failure_of

_Client = owner("tuf_client")
_Target = owner("tuf_target")
_Standing = owner("standing")


class StepKind(enum.IntEnum):
    """What a client wants: a file of its store, a file of the repository, a file stored or removed."""

    DONE = 0
    LOAD = 1
    FETCH = 2
    STORE = 3
    REMOVE = 4


@dataclass(frozen=True)
class Step:
    """What a client wants next: ``limit`` bytes at most; ``data`` is what to store."""

    kind: StepKind
    name: str
    data: bytes
    limit: int


Fetch = Callable[[str, int], Answer]


class Target(Handle):
    """A target that the trust metadata lists."""

    @property
    def length(self) -> int:
        """How many bytes it has."""
        return int(lib.touchmark_tuf_target_length(self._pointer))

    @property
    def role(self) -> str:
        """The role that lists it."""
        return text_of(lib.touchmark_tuf_target_role(self._pointer))

    @property
    def fetch_path(self) -> str:
        """Where it is, below the URL of the targets."""
        return written(lib.touchmark_tuf_target_fetch_path, self._pointer).decode()

    def check(self, data: BytesLike) -> None:
        """Raises NotVerified unless the bytes are the target's."""
        call(lib.touchmark_tuf_target_check, self._pointer, data_in(data))

    @property
    def json(self) -> Dict[str, Any]:
        """What is listed."""
        listed: Dict[str, Any] = json.loads(written(lib.touchmark_tuf_target_to_json, self._pointer))
        return listed


class Standing(Handle):
    """What a trust root says of one name: whose keys vouch for it, what is listed, what is revoked. It does not change."""

    @property
    def expires(self) -> int:
        """Until when it says so, in seconds since 1970."""
        return int(lib.touchmark_standing_expires(self._pointer))

    @property
    def json(self) -> Dict[str, Any]:
        """All of it."""
        said: Dict[str, Any] = json.loads(written(lib.touchmark_standing_to_json, self._pointer))
        return said


class Client(Exclusive):
    """A client of a TUF repository by steps: ``next``, then one of the ``provide_`` methods, until DONE. One thread at a time.

    ``drive`` does it with a function that fetches and a mapping that is the store; until it ends, all else is WrongState. The store begins with
    the trusted ``root.json``; keep it between updates. With ``offline`` nothing is fetched.
    """

    def __init__(self, at: Time, *, offline: bool = False) -> None:
        super().__init__(made(_Client, lib.touchmark_tuf_client_new, int(bool(offline)), time_in(at)))

    @alone
    def next(self) -> Step:
        """What is wanted next. Asking twice gives the same."""
        step = _native.Step()
        call(lib.touchmark_tuf_client_next, self._pointer, byref(step))
        return Step(StepKind(step.kind), text_of(step.first), bytes_of(step.second), step.limit)

    @alone
    def provide_bytes(self, data: BytesLike) -> None:
        """Gives a file."""
        call(lib.touchmark_tuf_client_provide_bytes, self._pointer, data_in(data))

    @alone
    def provide_absent(self) -> None:
        """Says that there is no such file."""
        call(lib.touchmark_tuf_client_provide_absent, self._pointer)

    @alone
    def provide_done(self) -> None:
        """Says that a file was stored or removed."""
        call(lib.touchmark_tuf_client_provide_done, self._pointer)

    @alone
    def provide_failure(self, failure: int, message: str = "") -> None:
        """Says why it could not be done: a ``Failure``."""
        call(lib.touchmark_tuf_client_provide_failure, self._pointer, int(Failure(failure)), text_in(message))

    def drive(self, fetch: Fetch, store: MutableMapping[str, bytes]) -> None:
        """Takes steps until DONE. ``fetch(path, limit)`` returns a file's bytes, or ``ABSENT`` if there is none; an OSError is "could not find
        out", and None no answer."""
        with self._driven() as client:
            while (wanted := client.next()).kind is not StepKind.DONE:
                try:
                    client._take(wanted, fetch, store)
                except OSError as error:
                    call(lib.touchmark_tuf_client_provide_failure, client._pointer, int(failure_of(error)), message_in(error))

    def _take(self, wanted: Step, fetch: Fetch, store: MutableMapping[str, bytes]) -> None:
        if wanted.kind is StepKind.STORE:
            store[wanted.name] = wanted.data
            return self.provide_done()
        if wanted.kind is StepKind.REMOVE:
            store.pop(wanted.name, None)
            return self.provide_done()
        data = answered(store.get(wanted.name, ABSENT) if wanted.kind is StepKind.LOAD else fetch(wanted.name, wanted.limit))
        if data is ABSENT:
            self.provide_absent()
        else:
            self.provide_bytes(data)

    @alone
    def look_up(self, path: str) -> None:
        """Begins the search for a target; steps follow until DONE."""
        call(lib.touchmark_tuf_client_look_up, self._pointer, text_in(path))

    @alone
    def found(self) -> Target:
        """The target that was looked up. Raises NotFound if nobody lists it."""
        return Target._wrap(made(_Target, lib.touchmark_tuf_client_found, self._pointer))

    @alone
    def standing(self, name: str) -> Standing:
        """What the trust root says of a NAME or NAME:VERSION that was looked up. The policy that its repository signs itself is not asked."""
        return Standing._wrap(made(_Standing, lib.touchmark_tuf_client_standing, self._pointer, text_in(name)))

    @property
    @alone
    def state(self) -> Dict[str, Any]:
        """What is trusted so far: versions and expiries."""
        state: Dict[str, Any] = json.loads(written(lib.touchmark_tuf_client_state_json, self._pointer))
        return state
