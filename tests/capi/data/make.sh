#!/usr/bin/env bash
# Makes what lies beside it, with the `touchmark` program on the PATH. The keys are new each time and guard nothing.
# The metadata is of one moment and expires many years later; the tests ask with a time of their own.
set -euo pipefail
cd "$(dirname "$0")"
rm -rf trust image links
rm -f owner owner.pub publisher publisher.pub root.layout
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=$PWD at=2026-01-01T00:00:00Z

touchmark --quiet key generate --out owner --no-passphrase
touchmark --quiet key generate --out publisher --no-passphrase --type ecdsa-p256
trust() { touchmark --quiet trust --dir "$work/trust" "$1" --at "$at" "${@:2}"; }
lifetimes=()
for role in root targets delegated snapshot timestamp; do lifetimes+=(--lifetime "$role=9000d"); done
trust init --root-key owner --targets-key owner --snapshot-key owner --timestamp-key owner "${lifetimes[@]}"
trust publish --key owner
trust delegate acme --key publisher --path 'acme/**' --terminating
trust sign --key owner --key publisher
trust publish --key owner

printf 'the program\n' >"$work/program"
(cd "$work" && touchmark pack --to "oci:$here/image:v1" program)
touchmark sign --key publisher --name acme/program:1 "oci:$here/image:v1"
touchmark --quiet trust --dir "$work/trust" name set --at "$at" acme/program:1 "oci:$here/image:v1"
trust target add "$work/program" --prefix acme/files/ --role acme
trust target add "$work/program" --prefix _touchmark/
trust sign --key publisher --key owner
trust publish --key owner
cp -r "$work/trust" trust

cat >"$work/layout.json" <<'JSON'
{"_type": "layout", "expires": "2050-01-01T00:00:00Z", "readme": "", "keys": {},
 "steps": [{"_type": "step", "name": "build", "threshold": 1, "pubkeys": [], "expected_command": [],
            "expected_materials": [], "expected_products": [["CREATE", "program"], ["DISALLOW", "*"]]}],
 "inspect": []}
JSON
touchmark --quiet in-toto new --functionary publisher.pub --out "$work/example.layout"
python3 - "$work" <<'PYTHON'
import json, pathlib, sys
work = pathlib.Path(sys.argv[1])
lines = (work / "example.layout").read_text().splitlines()
example = json.loads("\n".join(line for line in lines if not line.lstrip().startswith("//")))
layout = json.loads((work / "layout.json").read_text())
layout["keys"] = example["keys"]
layout["steps"][0]["pubkeys"] = list(example["keys"])
(work / "layout.json").write_text(json.dumps(layout))
PYTHON
touchmark --quiet in-toto sign "$work/layout.json" --key owner --out root.layout
mkdir "$work/build"
(cd "$work/build" && touchmark --quiet in-toto run --step build --key "$here/publisher" --out-dir "$here/links" --products program -- sh -c 'echo program >program')
rm -rf trust/staged trust/settings.json trust/.touchmark.lock image/.touchmark.lock owner
cp "$(grep -l '"payloadType"' image/blobs/sha256/*)" envelope.json
python3 - <<'PYTHON'
# The answer of a referrers API about the artifact.
import json, pathlib
entry = {}
for file in pathlib.Path("image/blobs/sha256").iterdir():
    text = file.read_bytes()
    if b'"subject"' in text:
        manifest = json.loads(text)
        entry = {"mediaType": manifest["mediaType"], "digest": "sha256:" + file.name, "size": len(text), "artifactType": manifest["artifactType"]}
        subject = manifest["subject"]["digest"].removeprefix("sha256:")
index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [entry]}
pathlib.Path("referrers.json").write_text(json.dumps(index))
pathlib.Path("manifest.json").write_bytes((pathlib.Path("image/blobs/sha256") / subject).read_bytes())
PYTHON
