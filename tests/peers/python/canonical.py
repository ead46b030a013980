"""Canonical JSON as securesystemslib makes it, for documents on standard input.

Each document is four bytes of length (big-endian) and as many bytes. Each answer is a byte (0: canonical, 1: refused), four bytes
of length, and the canonical form or the reason.
"""

import json
import struct
import sys

from securesystemslib.formats import encode_canonical


def answer(document):
    try:
        return 0, encode_canonical(json.loads(document)).encode()
    # What it raises for a document that it does not take is of many kinds: FormatError, ValueError, RecursionError.
    except Exception as error:
        return 1, f"{type(error).__name__}: {error}".encode(errors="replace")


def main():
    documents, answers = sys.stdin.buffer, sys.stdout.buffer
    while header := documents.read(4):
        (length,) = struct.unpack(">I", header)
        status, body = answer(documents.read(length))
        answers.write(struct.pack(">BI", status, len(body)) + body)


if __name__ == "__main__":
    main()
