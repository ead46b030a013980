"""Runs the recipes of docs/: every block of a page, in order, against two registries on loopback.

    run.py [--programs FOLDER] [PAGE...]

PAGE is a file; without any, docs/recipes/*.md and the other pages of OTHERS. Needs the programs touchmark and touchmark-verify in FOLDER
(target/debug), docker-registry, the program test-registry (target/debug), and PyYAML (tests/peers/python/requirements.txt).

What is done with a page, `<!-- ... -->` being comments of it that readers do not see:

  the hosts registry.example.com and mirror.example.com become registries on loopback: a docker-registry that wants a password and has no
      referrers API, and the test registry, which has it. Each page has new ones, and the first one's password is known ($DOCKER_CONFIG).
  ```sh          is run. A line that ends with `# exit N` must end with N; any other, with 0.
  ```yaml        GitHub: the `run` of each step, with its `env`; GitLab: the `script` of each job; Kubernetes: the `command` of each
                 initContainer.
  ```dockerfile  COPY and RUN, in a folder $ROOT that stands for the image's root; ENTRYPOINT becomes the function `entrypoint`.
  <!-- ci ... -->             is run too: what the page takes for granted, and what shows that it worked.
  <!-- file: NAME -->         the next block becomes this file.
  <!-- not run: WHY -->       the next block is not run.

All of a page is one run of bash, so variables stay. ```json must be JSON; ```text and ```rust are left alone.
"""

import argparse
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

import yaml

import registries
from registries import INSIDE

ROOT = pathlib.Path(__file__).resolve().parents[2]
OTHERS = [
    "README.md", "docs/from-cosign.md", "docs/from-notation.md", "docs/rotation.md",
    "docs/runbooks/lost-key.md", "docs/runbooks/stolen-key.md", "docs/runbooks/stolen-threshold.md", "docs/release.md",
]
BLOCK = re.compile(r"^```(?P<kind>\w+)\n(?P<text>.*?)^```$|^<!-- (?P<what>ci|file|not run)\b:? ?(?P<note>.*?)-->$", re.M | re.S)
SECRET = re.compile(r"\$\{\{ *secrets\.(\w+) *\}\}")
# GitLab's words that are no jobs.
NO_JOBS = {"stages", "default", "variables", "workflow", "include"}
PREAMBLE = """
set -euo pipefail
check() { [ "$1" -eq "$2" ] || { echo "$3: exit $1 where $2 was expected" >&2; exit 1; }; }
secret() { for one in "$@"; do printf '%s' "${one#*=}" >"$SECRETS/${one%%=*}"; done; }
secret_of() { cat "$SECRETS/$1"; }
tags_of() { python3 "$HELPERS" tags "$@"; }
delete_tag() { python3 "$HELPERS" delete-tag "$@"; }
bare_copy() { python3 "$HELPERS" bare-copy "$@"; }
"""


class Page:
    def __init__(self, path, text, root):
        self.name, self.text, self.root = path.name, text, root
        self.script, self.files = [PREAMBLE], {}

    def say(self, at, what):
        line = self.text.count("\n", 0, at) + 1
        return f"{self.name}:{line + 1}{what}"

    def translate(self):
        """The whole page as a program for bash."""
        skip = file = None
        for found in BLOCK.finditer(self.text):
            where = self.say(found.start(), "")
            if found["what"]:
                if found["what"] == "ci":
                    self.add(where, found["note"])
                elif found["what"] == "file":
                    file = found["note"].strip()
                else:
                    skip = found["note"].strip()
                continue
            kind, text = found["kind"], found["text"]
            if file:
                self.add(where, f"cat >{shlex.quote(file)} <<'END OF FILE'\n{text}END OF FILE\n")
            elif skip:
                print(f"  {where}: not run: {skip}")
            elif kind == "json":
                json.loads(text)
            elif kind not in ("text", "rust"):
                self.add(where, {"sh": self.shell, "yaml": self.yaml, "dockerfile": self.dockerfile}[kind](where, text))
            skip = file = None
        return "\n".join(self.script)

    def add(self, where, text):
        self.script.append(f"echo '-- {where}' >&2\n{text}")

    def shell(self, where, text):
        lines = []
        for line in text.replace("\\\n", "\\\0").split("\n"):
            line = line.replace("\\\0", "\\\n")
            expected = re.search(r"# exit (\d+)\s*$", line)
            if expected:
                command = line[: expected.start()].rstrip()
                line = f"status=0\n{command} || status=$?\ncheck $status {expected[1]} {shlex.quote(where)}"
            lines.append(line)
        return "\n".join(lines)

    def yaml(self, where, text):
        document = yaml.safe_load(text)
        if "initContainers" in document:
            document = {"spec": document}
        if "spec" in document:
            return "\n".join(self.command(one) for one in document["spec"]["initContainers"])
        if "jobs" in document:
            return "\n".join(self.step(step) for job in document["jobs"].values() for step in job["steps"] if "run" in step)
        before = document.get("default", {}).get("before_script", [])
        jobs = [job for name, job in document.items() if name not in NO_JOBS]
        jobs.sort(key=lambda job: document["stages"].index(job["stage"]))
        return "\n".join(self.job("\n".join([*before, *job["script"]])) for job in jobs)

    def command(self, container):
        words = [INSIDE.sub(f"{self.root}/", word) for word in container["command"] + container.get("args", [])]
        return "env -u DOCKER_CONFIG " + " ".join(map(shlex.quote, words))

    def step(self, step):
        variables = []
        for name, value in step.get("env", {}).items():
            secret = SECRET.fullmatch(value)
            variables.append(f"export {name}=" + (f'"$(secret_of {secret[1]})"' if secret else shlex.quote(value)))
        if "${{" in step["run"]:
            raise SystemExit(f"error: {self.name}: an expression within `run`: {step['run']}")
        return self.job(step["run"], *variables)

    def job(self, text, *variables):
        """A shell of its own, as CI systems have it, in the same folder."""
        return "\n".join(["(", *variables, "bash --noprofile --norc -eo pipefail <<'END OF SCRIPT'", text, "END OF SCRIPT", ")"])

    def dockerfile(self, where, text):
        done = []
        for line in re.sub(r"\\\n", " ", text).splitlines():
            word, _, rest = line.partition(" ")
            inside = INSIDE.sub(f"{self.root}/", rest)
            if word == "COPY" and not rest.startswith("--from"):
                source, target = inside.split()
                done.append(f"mkdir -p {shlex.quote(os.path.dirname(target))}; python3 \"$HELPERS\" inside {self.root} {source} {target}")
            elif word == "RUN":
                done.append(f"sh -c {shlex.quote(inside)}")
            elif word == "ENTRYPOINT":
                command = " ".join(map(shlex.quote, json.loads(inside)))
                done.append(f'entrypoint() {{ {command} "$@"; }}')
            elif word not in ("FROM", "COPY"):
                raise SystemExit(f"error: {where}: {word} is not known here")
        return "\n".join(done)


def run(path, programs, work):
    """Runs one page in a folder of its own; whether all went as the page says."""
    print(f"{path.relative_to(ROOT)}")
    folder, root = work / "page", work / "root"
    for one in (folder, root, work / "home", work / "docker", work / "secrets", work / "bin"):
        one.mkdir()
    for name in ("touchmark", "touchmark-verify"):
        (work / "bin" / name).symlink_to(programs / name)
    for name in ("docker", "cosign", "notation", *(["jq"] if not shutil.which("jq") else [])):
        stub = work / "bin" / name
        stub.write_text(f'#!/bin/sh\nexec python3 "$HELPERS" {name} "$@"\n')
        stub.chmod(0o755)
    with registries.start(work, programs) as (first, second):
        text = path.read_text().replace("registry.example.com", first).replace("mirror.example.com", second)
        environment = {name: value for name, value in os.environ.items() if name in ("LANG", "TERM", "CARGO_TARGET_DIR", "LLVM_PROFILE_FILE")}
        environment |= {
            "PATH": f"{work / 'bin'}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": str(work / "home"),
            "DOCKER_CONFIG": str(work / "docker"),
            "ROOT": str(root),
            "PROJECT": str(ROOT),
            "SECRETS": str(work / "secrets"),
            "HELPERS": str(pathlib.Path(__file__).with_name("registries.py")),
            "CI_USER": registries.USER,
            "CI_PASSWORD": registries.PASSWORD,
            "GITHUB_OUTPUT": str(work / "github-output"),
        }
        subprocess.run(
            ["touchmark", "login", first, "--username", registries.USER, "--password-stdin"],
            input=registries.PASSWORD.encode(), env=environment, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        script = Page(path, text, root).translate()
        done = subprocess.run(["bash", "-c", script], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        print(done.stdout.decode(errors="replace"))
        print(f"error: {path.relative_to(ROOT)}: exit {done.returncode}")
    return done.returncode == 0


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--programs", type=pathlib.Path, default=ROOT / "target/debug")
    arguments.add_argument("pages", nargs="*", type=pathlib.Path)
    options = arguments.parse_args()
    pages = [page.resolve() for page in options.pages] or sorted((ROOT / "docs/recipes").glob("[a-z]*.md")) + [ROOT / page for page in OTHERS]
    failed = []
    for page in pages:
        with tempfile.TemporaryDirectory(prefix="recipe-") as work:
            if not run(page, options.programs.resolve(), pathlib.Path(work).resolve()):
                failed.append(page.name)
    if failed:
        sys.exit(f"error: {', '.join(failed)} did not run as written")
    print(f"{len(pages)} pages ran as written")


if __name__ == "__main__":
    main()
