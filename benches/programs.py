"""What the programs need, against openssl and cp: CPU time and peak memory of the child process, from wait4.

    programs.py [--touchmark PROGRAM] [--touchmark-verify PROGRAM] [--mebibytes N] [--runs N]

Prints each figure with what it must not exceed, and fails if one does. Without options the programs are those of target/dist, which
tests/release/build.sh builds, and the artifact has 1 GiB.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
MIB = 1 << 20
failures = []


class Used:
    def __init__(self, seconds, bytes):
        self.seconds, self.bytes = seconds, bytes


class Bench:
    def __init__(self, folder):
        self.folder = folder
        self.launcher = folder / "child"
        subprocess.run(["cc", "-O2", "-o", self.launcher, ROOT / "benches/child.c"], check=True)

    def run(self, *command):
        """Runs a command; what it used, and its standard output."""
        read, write = os.pipe()
        with open(self.folder / "stderr", "w+") as errors:
            # The shell moves the pipe to descriptor 3, where the launcher writes.
            shell = ["sh", "-c", f'exec "$@" 3>&{write} {write}>&-', "sh", self.launcher, *command]
            child = subprocess.Popen(shell, stdout=subprocess.PIPE, stderr=errors, pass_fds=[write], cwd=self.folder)
            os.close(write)
            out = child.stdout.read()
            with os.fdopen(read) as figures:
                line = figures.read()
            if child.wait() != 0:
                errors.seek(0)
                raise SystemExit(f"error: {' '.join(map(str, command))}: {errors.read()}")
        user, system, kibibytes = map(int, line.split())
        return Used((user + system) / 1e6, kibibytes * 1024), out.decode().strip()


def check(what, value, limit, unit):
    verdict = "ok" if value <= limit else "TOO MUCH"
    if value > limit:
        failures.append(what)
    print(f"  {what:<48} {value:8.2f} {unit:<4} at most {limit:g}: {verdict}")


def show(what, seconds):
    print(f"  {what:<48} {seconds:8.3f} s CPU")


def remove(path):
    shutil.rmtree(path, ignore_errors=True)
    if path.is_file():
        path.unlink()


def small(bench, touchmark, verify, runs):
    folder = bench.folder
    (folder / "small").write_bytes(os.urandom(4096))
    _, pin = bench.run(touchmark, "pack", "small", "--to", "oci:small-layout:1")
    bench.run(touchmark, "sign", pin, "--key", "key")
    used = [bench.run(verify, pin, "--key", "key.pub")[0] for _ in range(runs * 10)]
    print(f"touchmark-verify of an Ed25519 signature on an OCI layout, {len(used)} runs")
    check("CPU, median", statistics.median(one.seconds for one in used) * 1000, 3, "ms")
    check("peak memory, largest", max(one.bytes for one in used) / MIB, 8, "MiB")


def large(bench, touchmark, verify, runs, mebibytes):
    """Every work in turn, so that what disturbs one disturbs all; the ratio is that of the best times."""
    folder = bench.folder
    with open(folder / "large", "wb") as file:
        for _ in range(mebibytes):
            file.write(os.urandom(MIB))
    times, memory, pin = {}, {}, None

    def take(what, *command, fresh=None):
        if fresh:
            remove(folder / fresh)
        used, out = bench.run(*command)
        times[what] = min(used.seconds, times.get(what, used.seconds))
        memory[what] = max(used.bytes, memory.get(what, 0))
        return out

    for _ in range(runs):
        take("openssl", "openssl", "dgst", "-sha256", "large")
        take("cp", "cp", "large", "copied", fresh="copied")
        pin = take("pack", touchmark, "pack", "large", "--to", "oci:layout:1", fresh="layout")
        bench.run(touchmark, "sign", pin, "--key", "key")
        take("copy", touchmark, "copy", pin, "oci:layout2:1", fresh="layout2")
        take("copy to a tar", touchmark, "copy", pin, "oci-archive:layout.tar:1", fresh="layout.tar")
        take("verify --deep", touchmark, "verify", "--deep", pin, "--key", "key.pub")
        take("touchmark-verify --deep", verify, "--deep", pin, "--key", "key.pub")

    print(f"an artifact of {mebibytes} MiB, best of {runs} runs")
    for what, seconds in times.items():
        show(what, seconds)
    both = times["openssl"] + times["cp"]
    check("verify --deep / openssl dgst -sha256", times["verify --deep"] / times["openssl"], 1.2, "")
    check("touchmark-verify --deep / openssl dgst -sha256", times["touchmark-verify --deep"] / times["openssl"], 1.2, "")
    check("pack / (openssl + cp)", times["pack"] / both, 1.2, "")
    check("copy / (openssl + cp)", times["copy"] / both, 1.2, "")
    check("copy to a tar / (openssl + cp)", times["copy to a tar"] / both, 1.2, "")
    for what in ("pack", "copy", "copy to a tar", "verify --deep", "touchmark-verify --deep"):
        check(f"peak memory of {what}", memory[what] / MIB, 32, "MiB")


def document(bench, benches):
    """The memory of making canonical JSON of a document of 100 MiB, the document's own included."""
    print("the canonical JSON of a TUF targets file of 100 MiB, hashed")
    for order in ("sorted", "mixed"):
        path = bench.folder / f"{order}.json"
        with open(path, "wb") as file:
            subprocess.run([benches, "document", "100", order], stdout=file, check=True)
        used, _ = bench.run(benches, "canonical", path)
        check(f"peak memory / the document, {order}", used.bytes / path.stat().st_size, 3, "")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--touchmark", type=pathlib.Path, default=ROOT / "target/dist/touchmark")
    arguments.add_argument("--touchmark-verify", type=pathlib.Path, default=ROOT / "target/dist/touchmark-verify")
    arguments.add_argument("--benches", type=pathlib.Path, default=ROOT / "target/release/examples/touchmark-benches")
    arguments.add_argument("--mebibytes", type=int, default=1024)
    arguments.add_argument("--runs", type=int, default=5)
    options = arguments.parse_args()
    # Beside the programs: the system's folder for temporary files may be in memory.
    with tempfile.TemporaryDirectory(dir=ROOT / "target", prefix="benches-") as folder:
        bench = Bench(pathlib.Path(folder))
        touchmark, verify = options.touchmark.resolve(), options.touchmark_verify.resolve()
        bench.run(touchmark, "key", "generate", "--type", "ed25519", "--out", "key", "--no-passphrase")
        small(bench, touchmark, verify, options.runs)
        document(bench, options.benches.resolve())
        large(bench, touchmark, verify, options.runs, options.mebibytes)
    if failures:
        sys.exit(f"error: {len(failures)} figures are too large: {', '.join(failures)}")


if __name__ == "__main__":
    main()
