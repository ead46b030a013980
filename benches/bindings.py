"""Runs the programs that benches/bindings.sh made, in turns, and prints what a verification costs in each, over the first.

    bindings.py [--rounds N] LANGUAGE=COMMAND...

What is measured is the CPU time of the whole process, its garbage collector and compiler included, with many verifications, less that with few, so that its start does
not count. Go's program says itself what its thread took: its runtime looks at calls into C from another thread, every 20 microseconds, which delays nothing. A command has {} where the number goes. A ratio is that of one round, and the median of the rounds counts. Fails if one is above its bar.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys

# What a verification may cost over the one in Rust.
BARS = {"c": 1.2, "cpp": 1.2, "go": 1.2, "python": 2, "node": 2, "java": 3}
# How many verifications a program does for each that it is told: what measures itself warms up by as many; some are told rounds of 500.
EACH = {"go": 2, "java": 2, "python": 500, "node": 500}
SAY = {"go"}
FEW, MANY = 5_000, 25_000


def seconds(command, verifications, each):
    words = [word.replace("{}", str(verifications // each)) for word in shlex.split(command)]
    child = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"error: {words[0]}: exit {child.returncode}")
    return usage.ru_utime + usage.ru_stime


def said(command, verifications, each):
    words = [word.replace("{}", str(verifications // each)) for word in shlex.split(command)]
    return json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout)["ns"] / 1e9


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
            each = EACH.get(language, 1)
            if language in SAY:
                taken[language].append(said(command, MANY, each))
                continue
            few, many = (seconds(command, count, each) for count in (FEW, MANY))
            taken[language].append((many - few) / (MANY - FEW))
    missed = False
    for language, times in taken.items():
        ratio = statistics.median(one / other for one, other in zip(times, taken[base]))
        bar = BARS.get(language)
        print(f"{language:<8} {statistics.median(times) * 1e6:8.1f} us {ratio:6.2f} of {base}" + (f", bar {bar}" if bar else ""))
        if bar and ratio > bar:
            print(f"error: {language}: {ratio:.2f}, and the bar is {bar}", file=sys.stderr)
            missed = True
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
