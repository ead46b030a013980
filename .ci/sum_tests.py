"""Adds up the closing lines of `cargo test`; fails on a failure and on no tests at all."""

import re
import sys

LINE = re.compile(r"test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored")


def main():
    with open(sys.argv[1], encoding="utf-8", errors="replace") as log:
        results = [tuple(map(int, match.groups())) for match in map(LINE.search, log) if match]
    passed, failed, ignored = (sum(column) for column in zip(*results)) if results else (0, 0, 0)
    print(f"tests: {passed} passed, {failed} failed, {ignored} ignored, in {len(results)} programs")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
