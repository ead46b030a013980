"""Runs the programs that benches/bindings.sh made, in turns, and prints what each takes over the first.

    bindings.py [--rounds N] LANGUAGE=COMMAND...

Each command prints {"language", "ns"}. A ratio is that of one round, and the median of the rounds counts. Fails if one is above its bar.
"""

import argparse
import json
import shlex
import statistics
import subprocess
import sys

# What a verification may cost over the one in Rust.
BARS = {"c": 1.2, "cpp": 1.2, "go": 1.2, "python": 2, "node": 2, "java": 3}


def nanoseconds(command):
    done = subprocess.run(shlex.split(command), check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)["ns"]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rounds", type=int, default=15)
    arguments.add_argument("programs", nargs="+")
    options = arguments.parse_args()
    programs = dict(program.split("=", 1) for program in options.programs)
    base = next(iter(programs))

    taken = {language: [] for language in programs}
    for _ in range(options.rounds):
        for language, command in programs.items():
            taken[language].append(nanoseconds(command))
    missed = False
    for language, times in taken.items():
        ratio = statistics.median(one / other for one, other in zip(times, taken[base]))
        bar = BARS.get(language)
        print(f"{language:<8} {statistics.median(times) / 1000:8.1f} us {ratio:6.2f} of {base}" + (f", bar {bar}" if bar else ""))
        if bar and ratio > bar:
            print(f"error: {language}: {ratio:.2f}, and the bar is {bar}", file=sys.stderr)
            missed = True
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
