"""Validates every JSON document that the tests recorded against the schema of the commands' output.

    validate_json.py FOLDER

The tests write what a command printed under `--format json` to a file of its own below FOLDER. No document is a failure.
"""

import json
import pathlib
import sys

import jsonschema

SCHEMA = pathlib.Path(__file__).resolve().parents[3] / "testdata/schema/output.schema.json"


def no_duplicates(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError(f"duplicate member in {[name for name, _ in pairs]}")
    return members


def main():
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    commands, failed = {}, 0
    for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.json")):
        try:
            document = json.loads(path.read_bytes().decode(), object_pairs_hook=no_duplicates)
        except ValueError as error:
            print(f"error: {path}: {error}", file=sys.stderr)
            failed += 1
            continue
        for error in sorted(validator.iter_errors(document), key=lambda error: error.json_path)[:5]:
            print(f"error: {path}: {error.json_path}: {error.message[:500]}", file=sys.stderr)
            failed += 1
        commands[document.get("command")] = commands.get(document.get("command"), 0) + 1
    for command, count in sorted(commands.items(), key=str):
        print(f"{count:5} documents of {command} are valid" if not failed else f"{count:5} documents of {command}")
    if not commands:
        print("error: no document was recorded", file=sys.stderr)
    return 1 if failed or not commands else 0


if __name__ == "__main__":
    sys.exit(main())
