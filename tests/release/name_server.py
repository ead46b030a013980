"""Answers DNS questions for one name on 127.0.0.1:53 with 127.0.0.1, and everything else with "no such name" (RFC 1035)."""

import socket
import struct
import sys


def labels(message, offset):
    """The name at `offset`, and where it ends."""
    name = []
    while message[offset]:
        length = message[offset]
        name.append(message[offset + 1 : offset + 1 + length].decode("ascii", "replace"))
        offset += 1 + length
    return ".".join(name).lower(), offset + 1


def main():
    known = sys.argv[1]
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    print("ready", flush=True)
    while True:
        message, client = server.recvfrom(1500)
        name, end = labels(message, 12)
        kind = struct.unpack_from(">H", message, end)[0]
        question = message[12 : end + 4]
        is_address = name == known and kind == 1
        code = 0 if name == known else 3
        head = message[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, int(is_address), 0, 0)
        record = b"\xc0\x0c" + struct.pack(">HHIH4B", 1, 1, 5, 4, 127, 0, 0, 1) if is_address else b""
        server.sendto(head + question + record, client)


main()
