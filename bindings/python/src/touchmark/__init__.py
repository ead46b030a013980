"""Touchmark: verifies and signs OCI artifacts, by keys, by a trust root, and by how they were made.

Everything that is verified is verified as of a time that the caller gives; ``now()`` is the clock's.
"""

from __future__ import annotations

import time as _time
from typing import Tuple

from ._native import lib as _lib
from ._native import text_of as _text_of
from .artifacts import VerifiedArtifact
from .digests import Hasher, canonical_json, check_name, digest, file_digest
from .envelopes import Envelope, VerifiedEnvelope, sign_manifest
from .errors import (
    BadSignature,
    CallbackFailed,
    ExpiredMetadata,
    InternalError,
    InvalidArgument,
    IoError,
    Malformed,
    NotFound,
    NotVerified,
    Panic,
    PolicyRejected,
    Refused,
    Rollback,
    SupplyChainNotVerified,
    ThresholdNotReached,
    TouchmarkError,
    Unknown,
    Unsigned,
    Unsupported,
    UntrustedMetadata,
    WrongPassphrase,
    WrongState,
)
from .failures import ABSENT, Absent, Failure, FetchFailed
from .keys import PrivateKey, PublicKey, Signer
from .policies import Accept, Policy, PolicyDocument
from .search import Need, NeedKind, Request, Search, Store
from .sources import PolicyFile, Source, TrustRoot
from .supply_chains import ChainNeed, ChainNeedKind, SupplyChain, VerifiedSupplyChain, verify_supply_chain
from .tuf import Client, Standing, Step, StepKind, Target

__version__: str = _text_of(_lib.touchmark_version())


def now() -> int:
    """The clock's time, in seconds since 1970."""
    return int(_time.time())


def features() -> Tuple[str, ...]:
    """What this build of the library has beyond verifying without files: ``sign``, ``io``, ``x509``, ``supply-chain``."""
    bits = int(_lib.touchmark_features())
    return tuple(name for bit, name in ((1, "sign"), (2, "io"), (4, "x509"), (8, "supply-chain")) if bits & bit)


__all__ = [
    "ABSENT",
    "Absent",
    "Accept",
    "BadSignature",
    "CallbackFailed",
    "ChainNeed",
    "ChainNeedKind",
    "Client",
    "Envelope",
    "ExpiredMetadata",
    "Failure",
    "FetchFailed",
    "Hasher",
    "InternalError",
    "InvalidArgument",
    "IoError",
    "Malformed",
    "Need",
    "NeedKind",
    "NotFound",
    "NotVerified",
    "Panic",
    "Policy",
    "PolicyDocument",
    "PolicyFile",
    "PolicyRejected",
    "PrivateKey",
    "PublicKey",
    "Refused",
    "Request",
    "Rollback",
    "Search",
    "Signer",
    "Source",
    "Standing",
    "Step",
    "StepKind",
    "Store",
    "SupplyChain",
    "SupplyChainNotVerified",
    "Target",
    "ThresholdNotReached",
    "TouchmarkError",
    "TrustRoot",
    "Unknown",
    "Unsigned",
    "Unsupported",
    "UntrustedMetadata",
    "VerifiedArtifact",
    "VerifiedEnvelope",
    "VerifiedSupplyChain",
    "WrongPassphrase",
    "WrongState",
    "canonical_json",
    "check_name",
    "digest",
    "features",
    "file_digest",
    "now",
    "sign_manifest",
    "verify_supply_chain",
]
