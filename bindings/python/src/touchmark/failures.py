"""What functions of the caller answer that have not got what they were asked for: that there is none, or why it could not be had."""

from __future__ import annotations

import enum
from typing import Final, TypeVar, Union

from ._native import BytesLike


class Absent(enum.Enum):
    """The type of ``ABSENT``."""

    ABSENT = "there is none"


ABSENT: Final = Absent.ABSENT
"""The answer that there is none. None is no answer: it is what a function gives that forgot to, or that caught an error and said nothing."""

Answer = Union[BytesLike, Absent]


class Failure(enum.IntEnum):
    """Why something could not be had. Only NOT_FOUND means that there is none."""

    NOT_FOUND = 1
    UNAVAILABLE = 2
    DENIED = 3
    TOO_LARGE = 4
    MALFORMED = 5


class FetchFailed(OSError):
    """Raised by the caller's functions: what was asked for could not be had, for one of the reasons."""

    def __init__(self, failure: Failure, message: str) -> None:
        super().__init__(message)
        self.failure = Failure(failure)


def failure_of(error: OSError) -> Failure:
    """The reason that an exception tells."""
    if isinstance(error, FetchFailed):
        return error.failure
    return Failure.DENIED if isinstance(error, PermissionError) else Failure.UNAVAILABLE


T = TypeVar("T")


def answered(answer: T) -> T:
    """What a function answered, if it did."""
    if answer is None:
        raise TypeError("None is no answer; touchmark.ABSENT says that there is none")
    return answer
