"""A TUF client by python-tuf, for requests on standard input, one JSON document a line, each answered by one line.

A request names the folder `store` that keeps what is trusted, `root` (the file trusted at first), the URL `metadata`, and the target `names`
to look up. With the URL `targets` and a folder `into` what was found is downloaded as well. `limit` is the most bytes of a role whose length
nobody says. An answer has `error` (of the refresh, or null), `roles` (the version of each that the store then trusts), and `found`: for each
name null, `{"error"}`, or `{"length", "hashes"}` and, when downloaded, the `sha256` of the content.

    tuf_client.py REQUEST       answers one request and ends; 1 if anything failed or was not found
"""

import hashlib
import json
import os
import pathlib
import sys
from urllib.parse import unquote

from tuf.ngclient import Updater, UpdaterConfig


def told(error):
    return f"{type(error).__name__}: {error}"


def trusted(store):
    """The version of every role in the store, by the role's name."""
    documents = {path.name.removesuffix(".json"): json.loads(path.read_bytes()) for path in store.glob("*.json")}
    return {unquote(name): document["signed"]["version"] for name, document in documents.items()}


def look_up(updater, name, into):
    try:
        target = updater.get_targetinfo(name)
        if target is None:
            return None
        found = {"length": target.length, "hashes": target.hashes}
        if into:
            path = updater.find_cached_target(target) or updater.download_target(target)
            found["sha256"] = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
        return found
    # What it raises for metadata that it does not accept is of many kinds.
    except Exception as error:
        return {"error": told(error)}


def answer(request):
    store, into = pathlib.Path(request["store"]), request.get("into")
    for folder in filter(None, (store, into)):
        os.makedirs(folder, exist_ok=True)
    config = UpdaterConfig()
    if limit := request.get("limit"):
        config.snapshot_max_length = config.targets_max_length = limit
    found, failed = {}, None
    try:
        root = pathlib.Path(request["root"]).read_bytes()
        updater = Updater(str(store), request["metadata"], into, request.get("targets"), config=config, bootstrap=root)
        updater.refresh()
        found = {name: look_up(updater, name, into) for name in request.get("names", [])}
    except Exception as error:
        failed = told(error)
    return {"error": failed, "roles": trusted(store), "found": found}


def main():
    if len(sys.argv) > 1:
        said = answer(json.loads(sys.argv[1]))
        print(json.dumps(said))
        return 1 if said["error"] or any(found is None or "error" in found for found in said["found"].values()) else 0
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
