"""The registries of the recipes, and what their hidden parts do to them; see run.py.

    registries.py tags HOST/REPO                 the tags, one a line
    registries.py delete-tag HOST/REPO TAG       deletes what the tag names
    registries.py bare-copy HOST/REPO:TAG ...    copies one manifest and its blobs and nothing else, as some tools do
    registries.py inside ROOT SOURCE TARGET      copies a file into an image's root
    registries.py docker ...                     notes how docker was called
    registries.py cosign ...                     stands for cosign, with what it once made
    registries.py notation ...                   stands for notation
    registries.py jq [-r] .MEMBER                stands for jq where there is none
"""

import base64
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request

# Folders of images, which are below $ROOT here.
INSIDE = re.compile(r"(?<![\w.$})/-])/(?=(?:etc/touchmark|etc/registry|opt|run/app|srv|entrypoint\.sh|usr/local/bin)\b)")
USER, PASSWORD = "ci", "let-me-in"
# Of PASSWORD, by bcrypt, which is all that docker-registry reads.
HTPASSWD = "ci:$2a$05$V79AA8xHrM3fND9PkL8LVu9cyebKYjLmxQnibMSsdXb7fDTWYipIW\n"
MANIFESTS = ", ".join((
    "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.distribution.manifest.list.v2+json",
))


def request(method, url, body=None, **headers):
    """An answer's body and headers. The password is sent along; a registry that wants none takes no note of it."""
    headers["Authorization"] = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    headers.setdefault("Accept", MANIFESTS)
    with urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method), timeout=60) as answer:
        return answer.read(), answer.headers


def free_port():
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def answers(host, process, log):
    """Waits until a registry answers."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            return request("GET", f"http://{host}/v2/")
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"error: {host} does not answer: {log.read_text()}")


def docker_registry(work, password=True):
    """Starts docker-registry on a free port, with a password or without."""
    program = shutil.which("docker-registry")
    if not program:
        raise SystemExit("error: docker-registry is missing; apt-get install docker-registry")
    host = f"127.0.0.1:{free_port()}"
    (work / "htpasswd").write_text(HTPASSWD)
    configuration = {
        "version": 0.1,
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(work / "registry")}, "delete": {"enabled": True}},
        "http": {"addr": host},
    }
    if password:
        configuration["auth"] = {"htpasswd": {"realm": "registry", "path": str(work / "htpasswd")}}
    # JSON is YAML.
    (work / "registry.yml").write_text(json.dumps(configuration))
    log = work / "registry.log"
    process = subprocess.Popen([program, "serve", work / "registry.yml"], stdout=log.open("wb"), stderr=subprocess.STDOUT)
    try:
        answers(host, process, log)
    except BaseException:
        process.kill()
        raise
    return process, host


def test_registry(programs):
    """Starts the registry of the tests, which says where it listens."""
    process = subprocess.Popen([programs / "test-registry", "--until-stdin-ends"], stdout=subprocess.PIPE, stdin=subprocess.PIPE)
    return process, process.stdout.readline().decode().strip()


@contextlib.contextmanager
def start(work, programs):
    """Two registries, and an end of both: HOST:PORT of each."""
    started = []
    try:
        started.append(docker_registry(work))
        started.append(test_registry(programs))
        yield [host for _, host in started]
    finally:
        for process, _ in started:
            process.terminate()
            process.wait()


def place(reference):
    host, _, rest = reference.partition("/")
    name, _, tag = rest.partition(":")
    return f"http://{host}/v2/{name}", tag


def tags(repository):
    url, _ = place(repository)
    print("\n".join(json.loads(request("GET", f"{url}/tags/list")[0])["tags"]))


def delete_tag(repository, tag):
    url, _ = place(repository)
    _, headers = request("HEAD", f"{url}/manifests/{tag}")
    request("DELETE", f"{url}/manifests/{headers['Docker-Content-Digest']}")


def bare_copy(source, target):
    (source, tag), (target, new_tag) = place(source), place(target)
    manifest, headers = request("GET", f"{source}/manifests/{tag}")
    document = json.loads(manifest)
    for blob in [document["config"], *document["layers"]]:
        content, _ = request("GET", f"{source}/blobs/{blob['digest']}")
        _, answer = request("POST", f"{target}/blobs/uploads/", b"")
        location = answer["Location"] if "://" in answer["Location"] else target.split("/v2/")[0] + answer["Location"]
        location += ("&" if "?" in location else "?") + "digest=" + blob["digest"]
        request("PUT", location, content, **{"Content-Type": "application/octet-stream"})
    request("PUT", f"{target}/manifests/{new_tag}", manifest, **{"Content-Type": headers["Content-Type"]})


def inside(root, source, target):
    text = pathlib.Path(source).read_text()
    pathlib.Path(target).write_text(INSIDE.sub(f"{root}/", text))


def docker(*arguments):
    with open("docker.log", "a") as log:
        print(*arguments, file=log)


def cosign(*arguments):
    made = pathlib.Path(os.environ["PROJECT"]) / "testdata/cosign"
    if arguments[:2] == ("download", "signature"):
        print((made / "bundle.json").read_text().strip())
    elif arguments[0] == "verify-attestation":
        statement = json.dumps({"predicate": {"bomFormat": "CycloneDX"}}).encode()
        print(json.dumps({"payload": base64.b64encode(statement).decode()}))
    elif arguments[0] != "verify":
        sys.exit(f"error: no cosign {arguments[0]} here")


def notation(command, *_):
    if command != "verify":
        sys.exit(f"error: no notation {command} here")


def jq(*arguments):
    value = json.load(sys.stdin)[arguments[-1].removeprefix(".")]
    print(value if "-r" in arguments else json.dumps(value))


if __name__ == "__main__":
    commands = {"tags": tags, "delete-tag": delete_tag, "bare-copy": bare_copy, "inside": inside, "docker": docker, "cosign": cosign, "notation": notation, "jq": jq}
    commands[sys.argv[1]](*sys.argv[2:])
