"""What can go wrong, as exceptions: one class for each hundred of the C interface's statuses, and for the statuses that programs ask about."""

from __future__ import annotations

import json
from typing import Any, Dict, Optional, Type


class TouchmarkError(Exception):
    """A call failed. What was to be verified is not verified.

    ``status`` is the number, ``status_name`` its name without the prefix, ``code`` a stable text such as ``tuf-expired``, ``message`` says
    what failed.
    """

    status: int
    status_name: str
    code: str
    message: str

    def __init__(self, status: int, status_name: str, code: str, message: str, document: bytes = b"") -> None:
        super().__init__(status, status_name, code, message, document)
        self.status = status
        self.status_name = status_name
        self.code = code
        self.message = message
        self._document = document

    def __str__(self) -> str:
        return self.message or self.status_name

    @property
    def json(self) -> Dict[str, Any]:
        """The whole error as the library writes it: status, code, message, hint, retryable and, where a decision refused, report."""
        if not self._document:
            return {}
        document: Dict[str, Any] = json.loads(self._document)
        return document

    @property
    def hint(self) -> Optional[str]:
        """What to try."""
        hint: Optional[str] = self.json.get("hint")
        return hint

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later."""
        return bool(self.json.get("retryable", False))

    @property
    def report(self) -> Any:
        """Why a decision refused, or None."""
        return self.json.get("report")


class InvalidArgument(TouchmarkError, ValueError):
    """1xx: what the caller gave, or the order of calls."""


class WrongState(InvalidArgument):
    """105: not now."""


class WrongPassphrase(InvalidArgument):
    """108: the private key is encrypted, and not with this passphrase."""


class Unsupported(InvalidArgument):
    """112: not in this build of the library, or not for this kind of thing."""


class Malformed(TouchmarkError):
    """2xx: what was given to be read is not what it should be."""


class NotVerified(TouchmarkError):
    """3xx: no signature suffices."""


class Unsigned(NotVerified):
    """301: there is no signature at all."""


class BadSignature(NotVerified):
    """302: the signature is not by this key over this message."""


class ThresholdNotReached(NotVerified):
    """303: fewer of the keys have signed than must."""


class UntrustedMetadata(TouchmarkError):
    """4xx: the trust metadata is not to be trusted."""


class ExpiredMetadata(UntrustedMetadata):
    """401: it has expired."""


class Rollback(UntrustedMetadata):
    """402: it is older than what was trusted before."""


class Refused(TouchmarkError):
    """5xx: a layout or a policy refuses."""


class SupplyChainNotVerified(Refused):
    """500: not made as the layout says; ``report`` has every reason."""


class PolicyRejected(Refused):
    """501: no rule accepts, or a rule rejects."""


class CallbackFailed(TouchmarkError):
    """6xx: the caller's function failed. Its exception is raised instead where there was one."""


class Unknown(TouchmarkError):
    """7xx: it could not be found out."""


class NotFound(Unknown):
    """701: there is none."""


class IoError(Unknown):
    """702: a file or a folder could not be read or written."""


class InternalError(TouchmarkError):
    """9xx: a fault of the library."""


class Panic(InternalError):
    """901: the library stopped half-way; the handle is of no use any more."""


_BY_STATUS: Dict[int, Type[TouchmarkError]] = {
    105: WrongState,
    108: WrongPassphrase,
    112: Unsupported,
    301: Unsigned,
    302: BadSignature,
    303: ThresholdNotReached,
    401: ExpiredMetadata,
    402: Rollback,
    500: SupplyChainNotVerified,
    501: PolicyRejected,
    701: NotFound,
    702: IoError,
    901: Panic,
}
_BY_HUNDRED: Dict[int, Type[TouchmarkError]] = {
    1: InvalidArgument,
    2: Malformed,
    3: NotVerified,
    4: UntrustedMetadata,
    5: Refused,
    6: CallbackFailed,
    7: Unknown,
    9: InternalError,
}


def class_of(status: int) -> Type[TouchmarkError]:
    """The class for a status; numbers that are newer than this file have that of their hundred."""
    return _BY_STATUS.get(status) or _BY_HUNDRED.get(status // 100, TouchmarkError)
