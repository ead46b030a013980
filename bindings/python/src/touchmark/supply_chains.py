"""in-toto layouts: verified by steps, or over a folder of links. No inspection is ever run here."""

from __future__ import annotations

import enum
import json
from ctypes import byref
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterable, Mapping, Optional

from . import _native
from ._native import (
    BytesLike,
    Exclusive,
    FilePath,
    Handle,
    Time,
    alone,
    call,
    data_in,
    datas_in,
    handles_in,
    lib,
    made,
    message_in,
    owner,
    pairs_in,
    path_in,
    text_in,
    text_of,
    time_in,
    written,
)
from .failures import ABSENT, Answer, Failure, answered, failure_of
from .keys import PublicKey

_Chain = owner("supply_chain")
_Verified = owner("verified_supply_chain")


class ChainNeedKind(enum.IntEnum):
    """What the verification of a supply chain needs: a file of links, the names in a folder of links, the link of an inspection."""

    DONE = 0
    FILE = 1
    NAMES = 2
    INSPECTION = 3


@dataclass(frozen=True)
class ChainNeed:
    """What is needed next. ``name`` is a path below the folder of links; for NAMES a folder, whose files of ``step`` are wanted; for INSPECTION
    the inspection's name, and ``step`` the folder."""

    kind: ChainNeedKind
    name: str
    step: str
    limit: int


class VerifiedSupplyChain(Handle):
    """A supply chain that is as its layout says."""

    @property
    def report(self) -> Dict[str, Any]:
        """How it was verified."""
        report: Dict[str, Any] = json.loads(written(lib.touchmark_verified_supply_chain_to_json, self._pointer))
        return report


class SupplyChain(Exclusive):
    """The verification of a layout, which ``keys`` must have signed, by steps. One thread at a time. ``run`` does it all; until it ends, all else is
    WrongState."""

    def __init__(self, layout: BytesLike, keys: Iterable[PublicKey], at: Time, *, parameters: Optional[Mapping[str, str]] = None) -> None:
        array, count = handles_in(keys, PublicKey)
        pairs, pair_count = pairs_in(parameters)
        super().__init__(made(_Chain, lib.touchmark_supply_chain_new, data_in(layout), array, count, pairs, pair_count, time_in(at)))

    @alone
    def next(self) -> ChainNeed:
        """What is needed next. Asking twice gives the same."""
        need = _native.Step()
        call(lib.touchmark_supply_chain_next, self._pointer, byref(need))
        return ChainNeed(ChainNeedKind(need.kind), text_of(need.first), text_of(need.second), need.limit)

    @alone
    def provide_bytes(self, data: BytesLike) -> None:
        """Gives a file."""
        call(lib.touchmark_supply_chain_provide_bytes, self._pointer, data_in(data))

    @alone
    def provide_absent(self) -> None:
        """Says that there is no such file."""
        call(lib.touchmark_supply_chain_provide_absent, self._pointer)

    @alone
    def provide_names(self, names: Iterable[str], *, complete: bool) -> None:
        """Gives the names of the files in a folder; not ``complete`` if there may be more."""
        array, count = datas_in([name.encode() for name in names])
        call(lib.touchmark_supply_chain_provide_names, self._pointer, array, count, int(bool(complete)))

    @alone
    def provide_failure(self, failure: int, message: str = "") -> None:
        """Says why it could not be had: a ``Failure``."""
        call(lib.touchmark_supply_chain_provide_failure, self._pointer, int(Failure(failure)), text_in(message))

    @alone
    def finish(self) -> VerifiedSupplyChain:
        """The outcome: raises SupplyChainNotVerified, whose ``report`` has every reason, unless all is as the layout says."""
        return VerifiedSupplyChain._wrap(made(_Verified, lib.touchmark_supply_chain_finish, self._pointer))

    def run(
        self,
        file: Callable[[str, int], Answer],
        names: Callable[[str, str], Iterable[str]],
        inspection: Optional[Callable[[str, str], Answer]] = None,
    ) -> VerifiedSupplyChain:
        """Gets what is needed: ``file(path, limit)``, ``names(folder, step)`` and ``inspection(name, folder)``. ``ABSENT`` is "there is none", an
        OSError "could not find out", and None no answer. An inspection without a link is "not verified"."""
        with self._driven() as chain:
            while (need := chain.next()).kind is not ChainNeedKind.DONE:
                try:
                    if need.kind is ChainNeedKind.NAMES:
                        chain.provide_names(list(answered(names(need.name, need.step))), complete=True)
                    elif need.kind is ChainNeedKind.FILE:
                        chain._provide(file(need.name, need.limit))
                    else:
                        chain._provide(ABSENT if inspection is None else inspection(need.name, need.step))
                except OSError as error:
                    call(lib.touchmark_supply_chain_provide_failure, chain._pointer, int(failure_of(error)), message_in(error))
            return chain.finish()

    def _provide(self, answer: Answer) -> None:
        data = answered(answer)
        if data is ABSENT:
            self.provide_absent()
        else:
            self.provide_bytes(data)


def verify_supply_chain(
    layout: BytesLike, keys: Iterable[PublicKey], links: FilePath, at: Time, *, parameters: Optional[Mapping[str, str]] = None
) -> VerifiedSupplyChain:
    """Verifies a layout over the links in a folder."""
    array, count = handles_in(keys, PublicKey)
    pairs, pair_count = pairs_in(parameters)
    arguments = (data_in(layout), array, count, path_in(links), pairs, pair_count, time_in(at))
    return VerifiedSupplyChain._wrap(made(_Verified, lib.touchmark_supply_chain_verify_folder, *arguments))
