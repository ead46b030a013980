"""What it takes to verify in-toto layouts, on the same supply chains in the same run: CPU time and peak memory of the process, for Touchmark as
a library (touchmark-benches) and as a command, python's in-toto as a library, and in-toto-golang as a library.

    in_toto_verifiers.py [--programs FOLDER] [--touchmark PROGRAM] [--peers FOLDER] [--runs N]

Prints each figure with what it must not exceed, and fails if one does. FOLDER of --programs has touchmark-benches; that of --peers has venv,
with in-toto (tests/peers/python/setup.sh), which runs this script too, and bin/in-toto-peer (tests/peers/setup.sh).
"""

import argparse
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

import in_toto_chains
from programs import MIB, ROOT, Bench, check, failures

TOUCHMARK, COMMAND, PYTHON, GO = "touchmark, library", "touchmark in-toto verify", "python in-toto, library", "in-toto-golang, library"


def wall(command):
    """Seconds from start to end of a process."""
    words = [str(word) for word in command]
    with open(os.devnull, "w") as null:
        quiet = [(os.POSIX_SPAWN_DUP2, null.fileno(), descriptor) for descriptor in (1, 2)]
        begin = time.perf_counter()
        child = os.posix_spawn(command[0], words, os.environ, file_actions=quiet)
        _, status = os.waitpid(child, 0)
        end = time.perf_counter()
    assert status == 0, command
    return end - begin


class Verifiers:
    def __init__(self, options):
        self.library = options.programs.resolve() / "touchmark-benches"
        self.touchmark = options.touchmark.resolve()
        self.peers = {
            PYTHON: [options.peers.resolve() / "venv/bin/python", ROOT / "tests/peers/python/in_toto_peer.py"],
            GO: [options.peers.resolve() / "bin/in-toto-peer"],
        }

    def command(self, folder, *more):
        """Touchmark's command line."""
        layout, key = folder / "root.layout", folder / "owner.pub"
        return [self.touchmark, "in-toto", "verify", "--quiet", "--layout", layout, "--layout-key", key, "--links", folder, *more]

    def of(self, folder, owner, demo):
        """What each of them runs, by its name; `look` is where the others stand."""
        question = in_toto_chains.question(folder, owner, folder / "look")
        commands = {name: [*program, question] for name, program in self.peers.items()}
        if demo:
            return {COMMAND: self.command(folder, "--inspection-key", folder / "owner.pub", "--products", folder / "final"), **commands}
        library = [self.library, "in-toto", folder / "root.layout", folder / "owner.pub", folder]
        return {TOUCHMARK: library, COMMAND: self.command(folder), **commands}


def measure(bench, folder, commands, runs):
    """Everyone in turn, so that what disturbs one disturbs all; for each the median of CPU and the largest memory."""
    used = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            # Where inspections are run, which leave files behind.
            look = folder / "look"
            shutil.rmtree(look, ignore_errors=True)
            shutil.copytree(folder / "final", look) if (folder / "final").exists() else look.mkdir()
            figures, said = bench.run(*command)
            assert name in (TOUCHMARK, COMMAND) or '"verified": true' in said.replace('":true', '": true'), said
            used[name].append(figures)
    return {name: (statistics.median(one.seconds for one in all), max(one.bytes for one in all)) for name, all in used.items()}


def show(title, figures):
    print(title)
    for name, (seconds, bytes) in figures.items():
        print(f"  {name:<48} {seconds:8.4f} s CPU, {bytes / MIB:7.1f} MiB")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--programs", type=pathlib.Path, default=ROOT / "target/release/examples")
    arguments.add_argument("--touchmark", type=pathlib.Path, default=ROOT / "target/dist/touchmark")
    arguments.add_argument("--peers", type=pathlib.Path, default=ROOT / "target/peers")
    arguments.add_argument("--runs", type=int, default=5)
    options = arguments.parse_args()
    verifiers = Verifiers(options)
    (ROOT / "target").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "target", prefix="benches-") as folder:
        folder = pathlib.Path(folder)
        bench = Bench(folder)
        for steps, artifacts, ratio, mebibytes in ((20, 10_000, 0.17, 150), (2, 100_000, 0.18, None)):
            chain = folder / f"{steps}-{artifacts}"
            owner = in_toto_chains.large(chain, steps, artifacts)
            figures = measure(bench, chain, verifiers.of(chain, owner, False), options.runs)
            show(f"{steps} steps of {artifacts} artifacts, {in_toto_chains.size(chain) / 1e6:.1f} MB of links, {options.runs} runs of each in turn", figures)
            seconds, memory = figures[TOUCHMARK]
            check("CPU / python", seconds / figures[PYTHON][0], ratio, "")
            check("CPU / Go", seconds / figures[GO][0], 1, "")
            if mebibytes:
                check("peak memory", memory / MIB, mebibytes, "MiB")
            shutil.rmtree(chain)
        demo = folder / "demo"
        owner = in_toto_chains.demo(demo)
        runs = options.runs * 4
        figures = measure(bench, demo, verifiers.of(demo, owner, True), runs)
        show(f"the demo, {runs} runs of each in turn", figures)
        check("the command's CPU, median", figures[COMMAND][0] * 1000, 5, "ms")
        command = verifiers.of(demo, owner, True)[COMMAND]
        walls = sorted(wall(command) * 1000 for _ in range(200))
        # On a machine that has other work, that is in it too.
        print(f"  {'the command from start to end, the best tenth':<48} {statistics.median(walls[:20]):8.2f} ms")
        check("the command from start to end, median of 200", statistics.median(walls), 5, "ms")
    if failures:
        sys.exit(f"error: {len(failures)} figures are too large: {', '.join(failures)}")


if __name__ == "__main__":
    main()
