"""Validates the policy documents of testdata/policy against the schema of policies, each as a local and as a signed one.

A document that the vectors call good must be valid. One that they refuse must not be, unless they say that no schema sees why
(`unseen`); then it must be, so that they do not say so idly.
"""

import json
import pathlib
import sys

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[3]


def no_duplicates(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a duplicate member")
    return members


def main():
    schema = json.loads((ROOT / "testdata/schema/policy.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    signed = {"$schema": schema["$schema"], "$ref": "#/$defs/signed", "$defs": schema["$defs"]}
    validators = {"local": jsonschema.Draft202012Validator(schema), "signed": jsonschema.Draft202012Validator(signed)}
    documents = json.loads((ROOT / "testdata/policy/vectors.json").read_text())["documents"]
    valid, refused, failed = 0, 0, 0
    for vector in documents:
        for origin, validator in validators.items():
            try:
                document = json.loads(vector["text"], object_pairs_hook=no_duplicates) if "text" in vector else vector["document"]
                errors = [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(document)]
            except ValueError as error:
                errors = [str(error)]
            wanted = vector[origin] == "ok" or origin in vector.get("unseen", [])
            valid, refused = valid + (not errors), refused + bool(errors)
            if wanted == bool(errors):
                failed += 1
                print(f"error: {vector['case']}, {origin}: the schema says {errors or 'valid'}", file=sys.stderr)
    print(f"policies: {valid} valid and {refused} invalid by the schema, as the vectors say" if not failed else f"{failed} differ")
    return 1 if failed or not valid or not refused else 0


if __name__ == "__main__":
    sys.exit(main())
