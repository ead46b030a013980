#!/usr/bin/env bash
# Fills a folder with what decision.cpp runs in: keys, an image in a layout and in a tar, a trust root, policies and a supply chain.
#
#   TOUCHMARK_BIN=FOLDER data.sh FOLDER
set -euo pipefail
cd "$1"
export PATH="$TOUCHMARK_BIN:$PATH" HOME=$PWD
quietly() { "$@" >log 2>&1 || { cat log >&2; echo "data.sh: $* failed" >&2; exit 1; }; }

for name in acme mallory owner builder; do quietly touchmark key generate --out "$name" --no-passphrase; done
printf 'the program\n' >net-monitor
printf 'notes\n' >notes.txt
quietly touchmark pack net-monitor --to oci:shop:1.2.0
quietly touchmark sign oci:shop:1.2.0 --key acme --name acme/net-monitor:1.2.0
quietly touchmark copy oci:shop:1.2.0 oci-archive:shop.tar

quietly touchmark trust init --no-passphrase
cp trust/metadata/1.root.json root.json
quietly touchmark trust publisher add acme --key acme.pub --names 'acme/**'
quietly touchmark trust target add notes.txt
quietly touchmark trust target add notes.txt --prefix acme/ --role acme
quietly touchmark trust sign --key trust-keys/targets --key acme
quietly touchmark trust publish --key trust-keys/snapshot --key trust-keys/timestamp

# Another one, whose owners sign a policy that rejects what acme's role accepts.
mkdir owned-by && (
    cd owned-by
    printf '{"version": 1, "rules": [{"names": "acme/**", "reject": true}]}\n' >own.json
    quietly touchmark trust init --no-passphrase
    quietly touchmark trust publisher add acme --key ../acme.pub --names 'acme/**'
    quietly touchmark trust target add own.json --name _touchmark/policy.json
    quietly touchmark trust sign --key trust-keys/targets --key ../acme
    quietly touchmark trust publish --key trust-keys/snapshot --key trust-keys/timestamp
)
mv owned-by/trust owned

printf '{"version": 1, "rules": [{"reference": "oci:shop:(*)", "name": "acme/net-monitor:$1", "keys": "acme.pub"}]}\n' >accepts.json
printf '{"version": 1, "rules": [{"reference": "oci:shop:(*)", "name": "acme/net-monitor:$1", "keys": "mallory.pub"}]}\n' >refuses.json

mkdir src && printf 'source\n' >src/main
quietly touchmark in-toto new --functionary builder.pub --out example.layout
python3 - <<'PYTHON'
import json

lines = open("example.layout").read().splitlines()
layout = json.loads("\n".join(line for line in lines if not line.lstrip().startswith("//")))
(builder,) = layout["keys"]
layout["inspect"] = []
layout["steps"] = [{
    "_type": "step", "name": "build", "threshold": 1, "pubkeys": [builder], "expected_command": [],
    "expected_materials": [["ALLOW", "src/*"], ["DISALLOW", "*"]], "expected_products": [["CREATE", "program"], ["DISALLOW", "*"]],
}]
json.dump(layout, open("my.layout", "w"))
PYTHON
quietly touchmark in-toto sign my.layout --key owner --out root.layout
quietly touchmark in-toto run --step build --key builder --out-dir links --materials src --products program -- cp src/main program
date +%s >now
