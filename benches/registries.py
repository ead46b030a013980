"""What the programs need with registries on loopback, against cosign, notation, openssl and curl: CPU time and peak memory of the child process.

    registries.py [--touchmark PROGRAM] [--touchmark-verify PROGRAM] [--test-registry PROGRAM] [--peers FOLDER] [--mebibytes N] [--runs N]

Prints each figure with what it must not exceed, and fails if one does. cosign and notation are taken from FOLDER, where tests/peers/bench-setup.sh
builds them; without them their lines are left out. docker-registry has no referrers API, the test registry has it.
"""

import argparse
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/recipes"))

import registries
from programs import MIB, ROOT, Bench, check, failures, show

SERVICES = {"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json", "rekorTlogConfig": {}, "tsaConfig": {}}
POLICY = {"name": "bench", "registryScopes": ["*"], "signatureVerification": {"level": "strict"}, "trustStores": ["ca:bench"], "trustedIdentities": ["*"]}


@contextlib.contextmanager
def started(folder, test_registry, *switches):
    """A docker-registry without a password, and a test registry: HOST:PORT of each."""
    folder.mkdir()
    first, host = registries.docker_registry(folder, password=False)
    try:
        second = subprocess.Popen([test_registry, "--until-stdin-ends", *switches], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            yield host, second.stdout.readline().decode().strip()
        finally:
            second.stdin.close()
            second.wait()
    finally:
        first.terminate()
        first.wait()


def peers(bench, folder):
    """How each peer that is there signs and verifies a reference, and how often it is run."""
    found = {}
    cosign, notation = folder / "cosign", folder / "notation"
    if cosign.is_file():
        (bench.folder / "services.json").write_text(json.dumps(SERVICES))
        bench.run("env", "COSIGN_PASSWORD=", cosign, "generate-key-pair")
        sign = ["env", "COSIGN_PASSWORD=", cosign, "sign", "--yes", "--key", "cosign.key", "--signing-config", "services.json"]
        found["cosign"] = (sign, [cosign, "verify", "--key", "cosign.pub", "--insecure-ignore-tlog=true"])
    if notation.is_file():
        home = bench.folder / "notation-home"
        run = ["env", f"XDG_CONFIG_HOME={home}", f"HOME={home}", notation]
        bench.run(*run, "cert", "generate-test", "--default", "bench")
        (home / "notation/trustpolicy.json").write_text(json.dumps({"version": "1.0", "trustPolicies": [POLICY]}))
        found["notation"] = ([*run, "sign", "--insecure-registry"], [*run, "verify", "--insecure-registry"])
    for name in {"cosign", "notation"} - found.keys():
        print(f"  {name} is not in {folder}: tests/peers/bench-setup.sh builds it")
    return found


def small(bench, options, tools):
    (bench.folder / "small").write_bytes(os.urandom(4096))
    with started(bench.folder / "small-registries", options.test_registry) as hosts:
        for what, host in zip(("docker-registry", "a registry with the referrers API"), hosts):
            print(f"verify one signature in {what}, {options.runs * 6} runs of each in turn")
            programs = {"touchmark-verify": [options.touchmark_verify, "--key", "key.pub"]}
            programs |= {name: verify for name, (_, verify) in tools.items()}
            pins = {}
            for name in programs:
                # An artifact for each, so that none has to look at the others' signatures.
                _, pins[name] = bench.run(options.touchmark, "pack", "small", "--to", f"{host}/bench/{name}:1")
                if name in tools:
                    bench.run(*tools[name][0], pins[name])
                else:
                    bench.run(options.touchmark, "sign", pins[name], "--key", "key")
            used = {name: [] for name in programs}
            for _ in range(options.runs * 6):
                for name, command in programs.items():
                    used[name].append(bench.run(*command, pins[name])[0])
            milliseconds = {name: statistics.median(one.seconds for one in all) * 1000 for name, all in used.items()}
            check("touchmark-verify: CPU, median", milliseconds["touchmark-verify"], 5, "ms")
            for name in tools:
                ratio = milliseconds["touchmark-verify"] / milliseconds[name]
                check(f"touchmark-verify / {name} ({milliseconds[name]:.1f} ms)", ratio, 1, "")
            for name, all in used.items():
                print(f"  {name + ': peak memory':<48} {max(one.bytes for one in all) / MIB:8.2f} MiB")


def large(bench, options):
    """`copy` against what moves the same bytes by hand: down and up by curl, and hashed once."""
    folder = bench.folder
    with open(folder / "large", "wb") as file:
        for _ in range(options.mebibytes):
            file.write(os.urandom(MIB))
    (folder / "blobs").mkdir()
    times, memory = {}, 0

    def take(what, *command):
        used, out = bench.run(*command)
        times[what] = min(used.seconds, times.get(what, used.seconds))
        return used, out

    with started(folder / "large-registries", options.test_registry, "--folder", folder / "blobs") as (source, target):
        _, pin = bench.run(options.touchmark, "pack", "large", "--to", f"{source}/bench/large:1")
        bench.run(options.touchmark, "sign", pin, "--key", "key")
        manifest = json.loads(registries.request("GET", f"http://{source}/v2/bench/large/manifests/1")[0])
        blob = manifest["layers"][0]["digest"]
        for run in range(options.runs):
            take("openssl dgst -sha256", "openssl", "dgst", "-sha256", "large")
            take("curl, down", "curl", "-sSf", "-o", "down", f"http://{source}/v2/bench/large/blobs/{blob}")
            _, headers = registries.request("POST", f"http://{target}/v2/bench/curl{run}/blobs/uploads/", b"")
            location = headers["Location"] if "://" in headers["Location"] else f"http://{target}{headers['Location']}"
            location += ("&" if "?" in location else "?") + "digest=" + blob
            take("curl, up", "curl", "-sSf", "-o", "answer", "-H", "Content-Type: application/octet-stream", "-T", "large", location)
            used, _ = take("touchmark copy", options.touchmark, "copy", pin, f"{target}/bench/copy{run}:1")
            memory = max(memory, used.bytes)
    print(f"copy of an artifact of {options.mebibytes} MiB from docker-registry to a registry with the referrers API, best of {options.runs} runs")
    for what, seconds in times.items():
        show(what, seconds)
    by_hand = sum(seconds for what, seconds in times.items() if what != "touchmark copy")
    check("copy / (openssl + curl down + curl up)", times["touchmark copy"] / by_hand, 1.3, "")
    check("peak memory of copy", memory / MIB, 48, "MiB")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--touchmark", type=pathlib.Path, default=ROOT / "target/dist/touchmark")
    arguments.add_argument("--touchmark-verify", type=pathlib.Path, default=ROOT / "target/dist/touchmark-verify")
    arguments.add_argument("--test-registry", type=pathlib.Path, default=ROOT / "target/release/test-registry")
    arguments.add_argument("--peers", type=pathlib.Path, default=ROOT / "target/peers/bin")
    arguments.add_argument("--mebibytes", type=int, default=1024)
    arguments.add_argument("--runs", type=int, default=5)
    options = arguments.parse_args()
    for name in ("touchmark", "touchmark_verify", "test_registry", "peers"):
        setattr(options, name, getattr(options, name).resolve())
    # No account of whoever runs this, and no other proxy.
    os.environ["DOCKER_CONFIG"] = "/nonexistent"
    with tempfile.TemporaryDirectory(dir=ROOT / "target", prefix="benches-") as folder:
        bench = Bench(pathlib.Path(folder))
        bench.run(options.touchmark, "key", "generate", "--type", "ed25519", "--out", "key", "--no-passphrase")
        small(bench, options, peers(bench, options.peers))
        large(bench, options)
    if failures:
        sys.exit(f"error: {len(failures)} figures are too large: {', '.join(failures)}")


if __name__ == "__main__":
    main()
