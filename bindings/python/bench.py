"""What verifying one envelope costs: it is read, and verified by a key that was read before. Prints {"language", "ns"}, nanoseconds each.

python bench.py [ENVELOPE KEY [ROUNDS]]      files; without them an envelope of its own
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path
from typing import Tuple

from touchmark import Envelope, PrivateKey, PublicKey

ROUNDS = 20
CALLS = 500


def own() -> Tuple[bytes, PublicKey]:
    """An envelope and its key."""
    key = PrivateKey.generate()
    payload = json.dumps({"_type": "https://in-toto.io/Statement/v1", "subject": [], "predicate": "x" * 400}).encode()
    return Envelope.sign("application/vnd.in-toto+json", payload, [key.signer()]).to_json(), key.public_key


def measured(data: bytes, key: PublicKey) -> float:
    """Nanoseconds for each of a round's calls."""
    keys = [key]
    begin = time.perf_counter_ns()
    for _ in range(CALLS):
        Envelope(data).verify(keys)
    return (time.perf_counter_ns() - begin) / CALLS


def main() -> None:
    data, key = (Path(sys.argv[1]).read_bytes(), PublicKey.from_file(sys.argv[2])) if len(sys.argv) > 2 else own()
    measured(data, key)  # warm
    rounds = [measured(data, key) for _ in range(int(sys.argv[3]) if len(sys.argv) > 3 else ROUNDS)]
    print(json.dumps({"language": "Python", "ns": round(statistics.median(rounds))}))


if __name__ == "__main__":
    main()
