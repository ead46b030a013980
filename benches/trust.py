"""What verifying by a trust root costs beside verifying by a key: CPU time and peak memory of touchmark-verify, from wait4, medians of one run.

    trust.py [--touchmark-verify PROGRAM] [--benches PROGRAM] [--runs N]

Prints each figure with what it must not exceed, and fails if one does. The trust repository has 10,000 names of 200 publishers. Without options the
programs are those of target/dist and target/release.
"""

import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile

from programs import MIB, ROOT, Bench, check, failures, remove

NAME = "publisher-100/signed:0"


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--touchmark-verify", type=pathlib.Path, default=ROOT / "target/dist/touchmark-verify")
    arguments.add_argument("--benches", type=pathlib.Path, default=ROOT / "target/release/examples/touchmark-benches")
    arguments.add_argument("--runs", type=int, default=60)
    options = arguments.parse_args()
    verify, benches = options.touchmark_verify.resolve(), options.benches.resolve()
    (ROOT / "target").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "target", prefix="benches-") as folder:
        bench = Bench(pathlib.Path(folder))
        subprocess.run([benches, "trust", folder], check=True)
        ref = f"oci:layout@{(bench.folder / 'digest').read_text()}"

        def rooted(trust, store, root="root.json"):
            return [verify, ref, "--root", root, "--trust", f"./{trust}/metadata", "--store", store, "--name", NAME]

        kinds = {
            "by the key": [verify, ref, "--key", "key.pub", "--name", NAME],
            "by the trust root, signed, warm": rooted("signed", "signed-store"),
            "by the trust root, listed, warm": rooted("listed", "listed-store"),
            "by a trust root of one publisher, warm": rooted("alone", "alone-store", "alone.json"),
            "by the trust root, signed, cold": rooted("signed", "new"),
            "by the trust root, listed, cold": rooted("listed", "new"),
        }
        for command in kinds.values():
            bench.run(*command)
        used = {kind: [] for kind in kinds}
        # Each in turn, so that what disturbs one disturbs all.
        for _ in range(options.runs):
            for kind, command in kinds.items():
                remove(bench.folder / "new")
                used[kind].append(bench.run(*command)[0])
        seconds = {kind: statistics.median(one.seconds for one in all) for kind, all in used.items()}
        print(f"touchmark-verify of one artifact in an OCI layout; {options.runs} runs of each, medians")
        for kind, all in used.items():
            print(f"  {kind:<48} {seconds[kind] * 1000:8.2f} ms CPU, {max(one.bytes for one in all) / MIB:5.1f} MiB")
        for kind in ("signed", "listed"):
            check(f"{kind}: warm / by the key, CPU", seconds[f"by the trust root, {kind}, warm"] / seconds["by the key"], 2, "")
            check(f"{kind}: cold, CPU", seconds[f"by the trust root, {kind}, cold"] * 1000, 10, "ms")
        check("one publisher: warm / by the key, CPU", seconds["by a trust root of one publisher, warm"] / seconds["by the key"], 2, "")
    if failures:
        sys.exit(f"error: {len(failures)} figures are too large: {', '.join(failures)}")


if __name__ == "__main__":
    main()
