"""What is asked of an artifact: policies made of keys or of a trust root's word, and policy documents."""

from __future__ import annotations

import enum
import json
from typing import Any, Iterable, List, Mapping, Optional, Tuple, Type

from ._native import BytesLike, Handle, Pointer, Text, Time, call, count_in, data_in, datas_in, handle_in, handles_in, lib, made, owner, text_in, texts_of, time_in, written
from .artifacts import VerifiedArtifact, _VerifiedArtifact
from .keys import PublicKey
from .tuf import Standing

_Builder = owner("policy_builder")
_Policy = owner("policy")
_PolicyDocument = owner("policy_document")


class Accept(enum.IntFlag):
    """By what a trust root may accept."""

    ENTRY = 1
    SEAL = 2
    ENVELOPES = 4


class Policy(Handle):
    """What is asked of an artifact. It does not change and may be shared by threads.

    ``name`` is NAME, NAME:VERSION or NAME:*; each of ``annotations`` must be signed; each of ``predicate_types`` must be attested;
    ``supply_chain`` is an in-toto layout that must hold, with the keys, each of which must have signed it.
    """

    @classmethod
    def from_keys(
        cls,
        keys: Iterable[PublicKey],
        threshold: int = 1,
        *,
        name: Optional[str] = None,
        annotations: Optional[Mapping[str, str]] = None,
        predicate_types: Iterable[str] = (),
        supply_chain: Optional[Tuple[BytesLike, Iterable[PublicKey]]] = None,
    ) -> Policy:
        """Signed by ``threshold`` of these keys."""
        array, count = handles_in(keys, PublicKey)
        builder = made(_Builder, lib.touchmark_policy_builder_from_keys, array, count, count_in(threshold))
        return cls._build(builder, name, annotations, predicate_types, supply_chain)

    @classmethod
    def from_standing(
        cls,
        standing: Standing,
        *,
        name: Optional[str] = None,
        annotations: Optional[Mapping[str, str]] = None,
        predicate_types: Iterable[str] = (),
        supply_chain: Optional[Tuple[BytesLike, Iterable[PublicKey]]] = None,
        accept_only: Optional[Accept] = None,
        by_role: Optional[str] = None,
    ) -> Policy:
        """As a trust root says. ``accept_only`` and ``by_role`` restrict it. The policy that the trust repository signs itself is not asked:
        ``TrustRoot.verify`` asks it, too.
        """
        builder = made(_Builder, lib.touchmark_policy_builder_from_standing, handle_in(standing, Standing))
        if accept_only is not None:
            call(lib.touchmark_policy_builder_accept_only, builder, int(Accept(accept_only)))
        if by_role is not None:
            call(lib.touchmark_policy_builder_by_role, builder, text_in(by_role))
        return cls._build(builder, name, annotations, predicate_types, supply_chain)

    @classmethod
    def _build(
        cls: Type[Policy],
        builder: Pointer,
        name: Optional[str],
        annotations: Optional[Mapping[str, str]],
        predicate_types: Iterable[str],
        supply_chain: Optional[Tuple[BytesLike, Iterable[PublicKey]]],
    ) -> Policy:
        if name is not None:
            call(lib.touchmark_policy_builder_set_name, builder, text_in(name))
        for key, value in texts_of(annotations):
            call(lib.touchmark_policy_builder_require_annotation, builder, text_in(key), text_in(value))
        for predicate_type in [predicate_types] if isinstance(predicate_types, str) else predicate_types:
            call(lib.touchmark_policy_builder_require_predicate, builder, text_in(predicate_type))
        if supply_chain is not None:
            layout, keys = supply_chain
            array, count = handles_in(keys, PublicKey)
            call(lib.touchmark_policy_builder_require_supply_chain, builder, data_in(layout), array, count)
        return cls._wrap(made(_Policy, lib.touchmark_policy_builder_build, builder))

    def verify_manifest(self, manifest: BytesLike, envelopes: Iterable[BytesLike], at: Time) -> VerifiedArtifact:
        """Verifies a manifest by envelopes that are at hand. Reads and asks nothing else."""
        array, count = datas_in(envelopes)
        arguments = (self._pointer, data_in(manifest), array, count, time_in(at))
        return VerifiedArtifact._wrap(made(_VerifiedArtifact, lib.touchmark_verify_manifest, *arguments))


class PolicyDocument(Handle):
    """A policy as a document: which rule decides for a reference or a name. ``signed`` is one from a trust repository.

    One that demands in-toto layouts is Unsupported by a library without supply chains (``features()``).
    """

    def __init__(self, document: Text, *, signed: bool = False) -> None:
        self._owned = made(_PolicyDocument, lib.touchmark_policy_document_read, text_in(document), 2 if signed else 1)

    def check(self) -> List[Any]:
        """What is probably not meant."""
        findings: List[Any] = json.loads(written(lib.touchmark_policy_document_check, self._pointer))
        return findings

    def decide(self, *, reference: Optional[str] = None, name: Optional[str] = None) -> Any:
        """The rule that decides. Raises PolicyRejected if it rejects, or if there is none."""
        return json.loads(self.decide_json(reference=reference, name=name))

    def decide_json(self, *, reference: Optional[str] = None, name: Optional[str] = None) -> bytes:
        """The rule that decides, as JSON."""
        return written(lib.touchmark_policy_document_decide, self._pointer, text_in(reference), text_in(name))
