"""What TUF clients need to refresh and to look up and download one small target, on the same repositories in the same run: CPU time and peak
memory of the child process, for `touchmark tuf`, python-tuf and sigstore-tuf. And what `touchmark trust` needs to publish one more target.

    tuf.py [--touchmark PROGRAM] [--peers FOLDER] [--runs N]

Prints each figure with what it must not exceed, and fails if one does. FOLDER has venv, with python-tuf (tests/peers/python/setup.sh), which
runs this script too, and bin/sigstore-tuf-client (tests/peers/rust-tuf/setup.sh). This process serves the repositories on loopback.
"""

import argparse
import contextlib
import functools
import http.server
import json
import pathlib
import statistics
import sys
import tempfile
import threading
import time

import tuf_repositories
from programs import MIB, ROOT, Bench, check, failures, remove

LIMIT = 1 << 30


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def served(folder):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Client:
    """A client's commands: what is done before a cold start, and the start."""

    def __init__(self, name, program):
        self.name, self.program = name, program
        self.ours = name == "touchmark"

    def prepare(self, bench, root):
        for folder in ("store", "into"):
            remove(bench.folder / folder)
            (bench.folder / folder).mkdir()
        if self.ours:
            bench.run(*self.program, "tuf", "--metadata-dir", "store", "init", root)

    def start(self, bench, url, root, target):
        if self.ours:
            places = ["--metadata-url", f"{url}metadata/", "--metadata-dir", "store", "--target-base-url", f"{url}targets/", "--target-dir", "into"]
            return bench.run(*self.program, "tuf", *places, "--target-name", target, "download")[0]
        request = {"store": "store", "into": "into", "root": str(root), "metadata": f"{url}metadata/", "targets": f"{url}targets/", "names": [target]}
        used, said = bench.run(*self.program, json.dumps({**request, "limit": LIMIT}))
        assert json.loads(said)["found"][target]["length"] == len(tuf_repositories.CONTENT), said
        return used


def measure(bench, clients, folder, count, runs):
    """Every client in turn, cold and then warm, so that what disturbs one disturbs all; for each the medians of CPU and the largest memory."""
    root, target = folder / "metadata/1.root.json", tuf_repositories.wanted(count)
    used = {(client.name, kind): [] for client in clients for kind in ("cold", "warm")}
    with served(folder) as url:
        for _ in range(runs):
            for client in clients:
                client.prepare(bench, root)
                for kind in ("cold", "warm"):
                    used[client.name, kind].append(client.start(bench, url, root, target))
    return {which: (statistics.median(one.seconds for one in all), max(one.bytes for one in all)) for which, all in used.items()}


def show(title, figures):
    print(title)
    for (name, kind), (seconds, bytes) in figures.items():
        print(f"  {name + ', ' + kind:<48} {seconds:8.3f} s CPU, {bytes / MIB:7.1f} MiB")


def bars(what, figures, ratio, mebibytes=None):
    """What our figures must not exceed."""
    (cold, memory), (warm, _) = figures["touchmark", "cold"], figures["touchmark", "warm"]
    if ("sigstore-tuf", "cold") in figures:
        check(f"{what}: CPU / sigstore-tuf", cold / figures["sigstore-tuf", "cold"][0], ratio, "")
    check(f"{what}: CPU / python-tuf", cold / figures["python-tuf", "cold"][0], 1, "")
    if mebibytes:
        check(f"{what}: peak memory", memory / MIB, mebibytes, "MiB")
        check(f"{what}: warm / cold start, CPU", warm / cold, 0.2, "")


def publishing(bench, touchmark, count, runs):
    """A repository by `touchmark trust`, to which one target is added again and again."""
    tuf_repositories.listing(bench.folder / "list", count)
    (bench.folder / "added").write_bytes(tuf_repositories.CONTENT)
    begin = time.monotonic()
    online = ["--key", "trust-keys/snapshot", "--key", "trust-keys/timestamp"]
    bench.run(touchmark, "trust", "init", "--no-passphrase")
    steps = {
        "target add": lambda run: ["target", "add", "added", "--name", f"added/{run}"],
        "sign": lambda _: ["sign", "--key", "trust-keys/targets"],
        "publish": lambda _: ["publish", *online],
    }
    bench.run(touchmark, "trust", "target", "add", "--from-list", "list")
    for step in ("sign", "publish"):
        bench.run(touchmark, "trust", *steps[step](0))
    print(f"a repository of {count} targets, made by touchmark trust in {time.monotonic() - begin:.1f} s; one more target, {runs} runs")
    used = {step: [] for step in steps}
    for run in range(runs):
        for step, words in steps.items():
            used[step].append(bench.run(touchmark, "trust", *words(run))[0])
    seconds = {step: statistics.median(one.seconds for one in all) for step, all in used.items()}
    for step, all in used.items():
        print(f"  {'touchmark trust ' + step:<48} {seconds[step]:8.3f} s CPU, {max(one.bytes for one in all) / MIB:7.1f} MiB")
    check("a change added, signed and published: CPU", sum(seconds.values()), 3, "s")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--touchmark", type=pathlib.Path, default=ROOT / "target/dist/touchmark")
    arguments.add_argument("--peers", type=pathlib.Path, default=ROOT / "target/peers")
    arguments.add_argument("--runs", type=int, default=5)
    options = arguments.parse_args()
    touchmark = Client("touchmark", [options.touchmark.resolve()])
    python = Client("python-tuf", [options.peers.resolve() / "venv/bin/python", ROOT / "tests/peers/python/tuf_client.py"])
    sigstore = Client("sigstore-tuf", [options.peers.resolve() / "bin/sigstore-tuf-client"])
    everyone = [touchmark, python, sigstore]
    with tempfile.TemporaryDirectory(dir=ROOT / "target", prefix="benches-") as folder:
        folder = pathlib.Path(folder)
        bench = Bench(folder)

        def made(what, make, *how):
            begin = time.monotonic()
            make(folder / what, *how)
            size = max(path.stat().st_size for path in (folder / what / "metadata").iterdir())
            print(f"{what}: the largest file has {size / 1e6:.1f} MB; made in {time.monotonic() - begin:.1f} s")
            return folder / what

        for count, what, runs, mebibytes in ((100_000, "flat-100k", options.runs, 40), (1_000_000, "flat-1M", max(1, options.runs // 2), 320)):
            figures = measure(bench, everyone, made(what, tuf_repositories.flat, count), count, runs)
            show(f"{count} targets in one file, {runs} runs of each in turn", figures)
            bars(what, figures, 0.2, mebibytes)
        count, runs = 100_000, options.runs * 2
        prefixes = measure(bench, everyone, made("prefixes", tuf_repositories.binned, count, 10, False), count, runs)
        show(f"{count} targets in 1024 bins by path_hash_prefixes, {runs} runs of each in turn", prefixes)
        bars("1024 bins by prefixes", prefixes, 0.6)
        # sigstore-tuf knows no succinct delegations; the bins are the same.
        succinct = measure(bench, [touchmark, python], made("succinct", tuf_repositories.binned, count, 10, True), count, runs)
        show(f"{count} targets in 1024 bins by a succinct delegation, {runs} runs of each in turn", succinct)
        succinct["sigstore-tuf", "cold"] = prefixes["sigstore-tuf", "cold"]
        bars("1024 bins, succinct", succinct, 0.6)
        publishing(bench, options.touchmark.resolve(), 1_000_000, max(1, options.runs // 2))
    if failures:
        sys.exit(f"error: {len(failures)} figures are too large: {', '.join(failures)}")


if __name__ == "__main__":
    main()
