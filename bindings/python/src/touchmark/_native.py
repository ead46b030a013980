"""The C interface: finding the library, its functions' types, bytes in and out, and who owns what.

A handle's pointer is an object that frees it when nobody refers to it any more. A call refers to it while it runs, so that ``close()`` in one
thread takes nothing from under a call in another.
"""

from __future__ import annotations

import contextlib
import copy
import ctypes
import functools
import os
import threading
from ctypes import byref, c_char_p, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Callable, ClassVar, Iterable, Iterator, List, Mapping, Optional, Tuple, Type, TypeVar, Union, cast

from . import errors
from ._prototypes import PROTOTYPES

BytesLike = Union[bytes, bytearray, memoryview]
Text = Union[str, bytes, bytearray, memoryview]
FilePath = Union[str, "os.PathLike[str]"]
Time = Union[int, datetime]

_ABI = (0, 1)
_LIBRARY = "libtouchmark.so"


class In(ctypes.Structure):
    """``touchmark_bytes`` on the way in. A ``c_char_p`` points at the bytes of a Python object without a copy; the length counts, not a NUL."""

    _fields_ = [("ptr", c_char_p), ("len", c_size_t)]


class Out(ctypes.Structure):
    """``touchmark_bytes`` on the way out."""

    _fields_ = [("ptr", c_void_p), ("len", c_size_t)]


class Pair(ctypes.Structure):
    """``touchmark_pair``."""

    _fields_ = [("key", In), ("value", In)]


class Need(ctypes.Structure):
    """``touchmark_need``."""

    _fields_ = [("kind", c_uint32), ("thorough", c_uint32), ("digest", Out), ("limit", c_uint64), ("entries", c_uint64)]


class Step(ctypes.Structure):
    """``touchmark_tuf_step`` and ``touchmark_supply_chain_need``, which have the same form."""

    _fields_ = [("kind", c_uint32), ("reserved", c_uint32), ("first", Out), ("second", Out), ("limit", c_uint64)]


SIGN = ctypes.CFUNCTYPE(c_uint32, c_void_p, Out, c_void_p)
FETCH = ctypes.CFUNCTYPE(c_uint32, c_void_p, Out, c_uint64, c_void_p)

_TYPES: Mapping[str, Any] = {
    "b": In,
    "p": c_void_p,
    "a": c_void_p,
    "o": c_void_p,
    "f": c_void_p,
    "i": c_int64,
    "u": c_uint32,
    "z": c_size_t,
    "Q": c_uint64,
    "v": Out,
    "-": None,
}


class Library:
    """The functions of ``libtouchmark``, typed when they are first asked for."""

    def __init__(self) -> None:
        path = os.environ.get("TOUCHMARK_LIBRARY")
        beside = Path(__file__).with_name(_LIBRARY)
        if not path:
            path = str(beside) if beside.exists() else _LIBRARY + ".0"
        try:
            self._library = ctypes.CDLL(path)
        except OSError as error:
            raise ImportError(f"the library {path} cannot be loaded: {error}; TOUCHMARK_LIBRARY may name another") from error
        version = int(self.touchmark_abi_version())
        if (version >> 24, version >> 12 & 0xFFF) != _ABI:
            raise ImportError(f"the library {path} has the interface {version >> 24}.{version >> 12 & 0xFFF}, not {_ABI[0]}.{_ABI[1]}")

    def __getattr__(self, name: str) -> Callable[..., Any]:
        result, arguments = PROTOTYPES[name]
        try:
            function = getattr(self._library, name)
        except AttributeError:
            raise errors.Unsupported(112, "UNSUPPORTED", "unsupported", f"this build of the library has no {name}") from None
        function.restype = _TYPES[result]
        function.argtypes = [_TYPES[kind] for kind in arguments]
        setattr(self, name, function)
        typed: Callable[..., Any] = function
        return typed


lib = Library()


class Pointer(c_void_p):
    """Owns what it points at."""

    _free: ClassVar[Any]  # None where the library has no such handles
    keep: Any = None  # what must live as long: the function behind a callback

    def __reduce_ex__(self, protocol: Any) -> Any:
        # Each of the copies would free it.
        raise TypeError("what the library owns can be neither copied nor pickled")

    def free(self) -> None:
        """Frees it, once."""
        if self.value:
            self._free(self)
            self.value = None

    def __del__(self) -> None:
        self.free()


def owner(kind: str) -> Type[Pointer]:
    """The class of pointers to ``touchmark_<kind>``. Its free function is its own, since at the interpreter's end modules are emptied first."""
    name = f"touchmark_{kind}_free"
    free = getattr(lib, name) if hasattr(lib._library, name) else None
    return type(kind, (Pointer,), {"_free": free})


_Error = owner("error")
_Buffer = owner("buffer")


def text_of(view: Out) -> str:
    """The text of a view."""
    return bytes_of(view).decode()


def bytes_of(view: Out) -> bytes:
    """A copy of what a view shows."""
    return ctypes.string_at(view.ptr, view.len) if view.len else b""


# What callbacks of this thread's calls raised; a call runs its callbacks in its own thread.
_raised = threading.local()


def callback(work: Callable[[], int]) -> int:
    """Runs a callback's work. What it raises is kept and raised when the call ends; of several the first, and one that decides before any other."""
    before: Optional[BaseException] = getattr(_raised, "error", None)
    _raised.error = None  # for the calls that the work makes
    try:
        status = work()
        _raised.error = before
        return status
    except BaseException as error:
        # No name of this frame may stay bound to an error that leads to it.
        _raised.error = before if before is not None and (isinstance(error, OSError) or not isinstance(before, OSError)) else error
        return 700 if isinstance(error, OSError) else 600


def call(function: Callable[..., Any], *arguments: Any) -> None:
    """Calls ``function`` with the trailing error and raises what it says."""
    error = _Error()
    status = function(*arguments, byref(error))
    raised: Optional[BaseException] = getattr(_raised, "error", None)
    _raised.error = None
    try:
        if raised is None:
            if status != 0:
                raise _exception(status, error)
        # A file that could not be had may be made good by another: then it is the library's decision, and the exception its cause.
        elif isinstance(raised, OSError) and status != 600:
            if status != 0:
                raise _exception(status, error) from raised
        else:
            raise raised
    finally:
        # It leads to this frame, and so to what the call made, which would be kept until the garbage collector comes.
        del raised


def _exception(status: int, error: Pointer) -> errors.TouchmarkError:
    name = text_of(lib.touchmark_status_name(status)) or str(status)
    code = text_of(lib.touchmark_error_code(error))
    message = text_of(lib.touchmark_error_message(error))
    return errors.class_of(status)(status, name, code, message, bytes_of(lib.touchmark_error_json(error)))


P = TypeVar("P", bound=Pointer)


def made(kind: Type[P], function: Callable[..., Any], *arguments: Any) -> P:
    """Calls a function that makes a handle."""
    pointer = kind()
    try:
        call(function, *arguments, byref(pointer))
    except BaseException:
        pointer.free()  # what was made though a callback failed: the exception leads to it, and may be kept
        raise
    return pointer


def written(function: Callable[..., Any], *arguments: Any) -> bytes:
    """Calls a function that writes a buffer."""
    buffer = made(_Buffer, function, *arguments)
    return bytes_of(lib.touchmark_buffer_bytes(buffer))


def data_in(data: BytesLike) -> In:
    """Bytes as an argument."""
    if not isinstance(data, bytes):
        if isinstance(data, str):
            raise TypeError("bytes are wanted here, not str")
        data = bytes(memoryview(data))
    return In(data, len(data))


def text_in(text: Optional[Text]) -> In:
    """Text as an argument; None is the empty text."""
    return data_in(text.encode() if isinstance(text, str) else text) if text is not None else In()


def wanted_in(text: Optional[str]) -> In:
    """What is asked for as an argument; None asks for nothing. The empty text would, too."""
    if text is not None and not text:
        raise ValueError("the empty text asks for nothing; None does, if that is meant")
    return text_in(text)


def path_in(path: FilePath) -> In:
    """A path as an argument. One that is not UTF-8 is refused by the library."""
    return data_in(os.fspath(path).encode("utf-8", "surrogateescape"))


def time_in(at: Time) -> int:
    """Seconds since 1970 as an argument. What is not after 1970 is refused by the library."""
    if isinstance(at, datetime):
        if at.utcoffset() is None:
            raise ValueError("a datetime without a time zone is no point in time")
        at = int(at.timestamp() // 1)
    if isinstance(at, bool) or not isinstance(at, int):
        raise TypeError(f"a time is an int, in seconds, or a datetime with a time zone, not {type(at).__name__}")
    if not -(2**63) <= at < 2**63:
        raise ValueError("a time beyond 64 bits")
    return at


def count_in(count: int) -> int:
    """A count as an argument; ctypes would wrap a negative one."""
    if isinstance(count, bool) or not isinstance(count, int):
        raise TypeError(f"a count is an int, not {type(count).__name__}")
    if not 0 <= count < 2**63:
        raise ValueError("a count below 0, or beyond 63 bits")
    return count


def datas_in(datas: Iterable[BytesLike]) -> Tuple[Any, int]:
    """An array of bytes as two arguments."""
    views = [data_in(data) for data in datas]
    array = (In * len(views))(*views)
    array.keep = views  # type: ignore[attr-defined]
    return array, len(views)


def message_in(error: BaseException) -> In:
    """What an exception says as an argument: what of it is no text is replaced, so that a failure stays the failure that it is."""
    return data_in(str(error).encode("utf-8", "replace"))


def texts_of(pairs: Optional[Mapping[str, str]]) -> List[Tuple[str, str]]:
    """The pairs of a mapping. A value that is not there would be the empty text."""
    found = [] if pairs is None else list(pairs.items())
    if not all(isinstance(text, str) for pair in found for text in pair):
        raise TypeError("keys and values are str")
    return found


def pairs_in(pairs: Optional[Mapping[str, str]]) -> Tuple[Any, int]:
    """An array of pairs as two arguments."""
    views = [Pair(text_in(key), text_in(value)) for key, value in texts_of(pairs)]
    array = (Pair * len(views))(*views)
    array.keep = views  # type: ignore[attr-defined]
    return array, len(views)


H = TypeVar("H", bound="Handle")


class Handle:
    """Something of the library's. ``close()``, ``with`` and the garbage collector give it back; a call that still runs keeps it until it ends."""

    _owned: Optional[Pointer] = None

    @classmethod
    def _wrap(cls: Type[H], pointer: Pointer) -> H:
        handle = cls.__new__(cls)
        handle._owned = pointer
        return handle

    @property
    def _pointer(self) -> Pointer:
        if self._owned is None or not self._owned.value:
            raise ValueError(f"this {type(self).__name__} is closed")
        return self._owned

    def close(self) -> None:
        """Gives the handle back. Everything but this then raises ValueError."""
        self._owned = None

    def __enter__(self: H) -> H:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], traceback: Optional[TracebackType]) -> None:
        self.close()


S = TypeVar("S", bound="Exclusive")
F = TypeVar("F", bound=Callable[..., Any])


class Exclusive(Handle):
    """What takes one call at a time. Whoever takes all of its steps has the handle until the last: of two who take turns, one would get the answers to
    the other's questions."""

    def __init__(self, pointer: Pointer) -> None:
        self._owned = pointer
        self._used = threading.Lock()  # a copy's too

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        self._pointer  # which a closed one has not
        if not self._used.acquire(blocking=False):
            raise errors.WrongState(105, "WRONG_STATE", "wrong-state", f"this {type(self).__name__} is being used")
        try:
            yield
        finally:
            self._used.release()

    @contextlib.contextmanager
    def _driven(self: S) -> Iterator[S]:
        """The handle of who takes all steps. Those of this one are WRONG_STATE meanwhile."""
        with self._alone():
            driver = copy.copy(self)
            driver._used = threading.Lock()
            yield driver


def alone(step: F) -> F:
    """A method that is refused while somebody else uses the handle."""

    @functools.wraps(step)
    def taken(self: Exclusive, *arguments: Any, **named: Any) -> Any:
        with self._alone():
            return step(self, *arguments, **named)

    return cast(F, taken)


def handles_in(handles: Iterable[Handle], kind: Type[Handle]) -> Tuple[Any, int]:
    """An array of handles as two arguments."""
    pointers: List[Pointer] = []
    for handle in [handles] if isinstance(handles, Handle) else handles:
        if not isinstance(handle, kind):
            raise TypeError(f"{kind.__name__} is wanted here, not {type(handle).__name__}")
        pointers.append(handle._pointer)
    array = (c_void_p * len(pointers))(*[pointer.value for pointer in pointers])
    array.keep = pointers  # type: ignore[attr-defined]
    return array, len(pointers)


def handle_in(handle: Handle, kind: Type[Handle]) -> Pointer:
    """A handle as an argument. One of another kind would be read as what it is not."""
    if not isinstance(handle, kind):
        raise TypeError(f"{kind.__name__} is wanted here, not {type(handle).__name__}")
    return handle._pointer
