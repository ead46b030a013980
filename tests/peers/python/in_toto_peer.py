"""The reference implementation of in-toto, for questions on standard input: one JSON document a line, and one a line as the answer; or for one
question as its argument.

- {"op": "globs", "cases": [[PATTERN, NAME]...]}: whether each matches.
- {"op": "rules", "rules": [[WORD...]...], "side": "materials" | "products", "item": NAME, "links": {NAME: {"materials", "products"}}}:
  "pass" with the queue that is left, "fail", or "malformed".
- {"op": "make", "folder": FOLDER, "form": "dsse" | "legacy", "with_rsa": BOOL}: makes a supply chain of three steps, the first
  of them a sublayout, and an owner's key there.
- {"op": "verify", "folder": FOLDER, "layout": FILE, "keys": {KEYID: KEY}, "product": FOLDER?}: verifies a layout with the links in the
  folder, in the folder of the final product.
- {"op": "statement", "text": TEXT}: whether the bindings of the attestation framework read this statement and its predicate.
"""

import fnmatch
import json
import logging
import os
import sys
import warnings

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from in_toto import rulelib, verifylib
from in_toto.models.layout import Layout, Step
from in_toto.models.link import Link
from in_toto.models.metadata import Envelope, Metablock, Metadata
from securesystemslib.exceptions import FormatError
from securesystemslib.signer import CryptoSigner


def globs(cases):
    return [fnmatch.fnmatchcase(name, pattern) for pattern, name in cases]


def rules(question):
    try:
        for rule in question["rules"]:
            rulelib.unpack_rule(rule)
        links = {name: Link(name=name, **link) for name, link in question["links"].items()}
    except FormatError as error:
        return {"verdict": "malformed", "why": str(error)}
    item, side = question["item"], question["side"]
    try:
        verifylib.verify_item_rules(item, side, question["rules"], links)
    except verifylib.RuleVerificationError as error:
        return {"verdict": "fail", "why": str(error)}
    trace = verifylib.RULE_TRACE["trace"]
    queue = trace[-1]["queue"] if trace else list(question["links"][item][side])
    return {"verdict": "pass", "queue": sorted(queue)}


def key_dict(signer):
    key = signer.public_key
    return {"keyid": key.keyid, **key.to_dict()}


def make(folder, form, with_rsa):
    """Clone by an Ed25519 key, build by a P-256 and an Ed25519 key, package by one of the kind of the owner's: RSA or P-256."""
    kind = (lambda: rsa.generate_private_key(65537, 2048)) if with_rsa else (lambda: ec.generate_private_key(ec.SECP256R1()))
    owner, packager = CryptoSigner(kind()), CryptoSigner(kind())
    cloner, tester = (CryptoSigner(ed25519.Ed25519PrivateKey.generate()) for _ in range(2))
    builder = CryptoSigner(ec.generate_private_key(ec.SECP256R1()))

    def step(name, signers, threshold, materials, products):
        keyids = [signer.public_key.keyid for signer in signers]
        command = ["make", name]
        return Step(
            name=name,
            pubkeys=keyids,
            threshold=threshold,
            expected_command=command,
            expected_materials=[rule.split() for rule in materials],
            expected_products=[rule.split() for rule in products],
        )

    def layout_of(signers, steps):
        keys = {signer.public_key.keyid: key_dict(signer) for signer in signers}
        return Layout(readme="", expires="2030-01-01T00:00:00Z", keys=keys, steps=steps, inspect=[])

    layout = layout_of(
        (cloner, builder, tester, packager),
        [
            step("clone", [cloner], 1, ["DISALLOW *"], ["CREATE src/*", "DISALLOW *"]),
            step(
                "build",
                [builder, tester],
                2,
                ["MATCH src/* WITH PRODUCTS FROM clone", "DISALLOW *"],
                ["CREATE out/app", "ALLOW src/*", "DISALLOW *"],
            ),
            step(
                "package",
                [packager],
                1,
                ["MATCH app WITH PRODUCTS IN out FROM build", "DISALLOW *"],
                ["CREATE app.tar", "ALLOW app", "DISALLOW *"],
            ),
        ],
    )
    # The cloner has it done by others, in two steps.
    fetcher, patcher = (CryptoSigner(ed25519.Ed25519PrivateKey.generate()) for _ in range(2))
    sublayout = layout_of(
        (fetcher, patcher),
        [
            step("fetch", [fetcher], 1, ["DISALLOW *"], ["CREATE *", "DISALLOW *"]),
            step("patch", [patcher], 1, ["MATCH * WITH PRODUCTS FROM fetch", "DISALLOW *"], ["MODIFY src/a.c", "ALLOW src/*", "DISALLOW *"]),
        ],
    )
    digest = {name: {"sha256": name.encode().hex().ljust(64, "0")} for name in ("a", "b", "app", "tar")}
    sources = {"src/a.c": digest["a"], "src/sub/\u00e9 \\n\n.c": digest["b"]}
    fetched = {**sources, "src/a.c": digest["b"]}
    inside = f"clone.{cloner.public_key.keyid:.8}"
    os.mkdir(os.path.join(folder, inside))
    links = [
        (f"{inside}/fetch", fetcher, {}, fetched),
        (f"{inside}/patch", patcher, fetched, sources),
        ("build", builder, sources, {**sources, "out/app": digest["app"]}),
        ("build", tester, sources, {**sources, "out/app": digest["app"]}),
        ("package", packager, {"app": digest["app"]}, {"app": digest["app"], "app.tar": digest["tar"]}),
    ]

    def dump(signable, signer, name):
        metadata = Envelope.from_signable(signable) if form == "dsse" else Metablock(signed=signable)
        metadata.create_signature(signer)
        metadata.dump(os.path.join(folder, name))

    dump(layout, owner, "root.layout")
    dump(sublayout, cloner, f"{inside}.link")
    for path, signer, materials, products in links:
        byproducts = {"return-value": 0, "stdout": "", "stderr": ""}
        name = os.path.basename(path)
        link = Link(name=name, materials=materials, products=products, command=["make", name], byproducts=byproducts)
        dump(link, signer, f"{path}.{signer.public_key.keyid:.8}.link")
    pem = owner._private_key.public_key().public_bytes(  # noqa: SLF001
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with open(os.path.join(folder, "owner.pub"), "wb") as file:
        file.write(pem)
    key = key_dict(owner)
    return {"keys": {key["keyid"]: key}}


def verify(folder, layout, keys, product=None):
    try:
        # Inspections are run where it stands, and look at what is there.
        os.chdir(product or folder)
        metadata = Metadata.load(os.path.join(folder, layout))
        verifylib.in_toto_verify(metadata, keys, link_dir_path=folder)
    # What it raises for metadata that it does not take is of many kinds.
    except Exception as error:
        return {"verified": False, "why": f"{type(error).__name__}: {error}"}
    return {"verified": True}


def statement(text):
    # Only who asks for it needs the package.
    from google.protobuf import json_format
    from in_toto_attestation.predicates.link.v0 import link_pb2
    from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
    from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
    from in_toto_attestation.predicates.vsa.v1 import vsa_pb2
    from in_toto_attestation.v1 import statement_pb2
    from in_toto_attestation.v1.statement import Statement

    types = {
        "https://in-toto.io/attestation/link/v0.3": link_pb2.Link,
        "https://in-toto.io/attestation/test-result/v0.1": test_result_pb2.TestResult,
        "https://slsa.dev/provenance/v1": provenance_pb2.Provenance,
        "https://slsa.dev/verification_summary/v1": vsa_pb2.VerificationSummary,
    }
    try:
        Statement.copy_from_pb(json_format.Parse(text, statement_pb2.Statement())).validate()
        document = json.loads(text)
        if document["predicateType"] in types:
            # The bindings want a text where the specification of summaries has a list.
            document["predicate"].pop("verifiedLevels", None)
            # A member that the type does not have is an error.
            json_format.ParseDict(document["predicate"], types[document["predicateType"]]())
    except (ValueError, json_format.ParseError) as error:
        return {"valid": False, "why": str(error)}
    return {"valid": True}


def answer(question):
    match question.pop("op"):
        case "globs":
            return globs(question["cases"])
        case "rules":
            return rules(question)
        case "make":
            return make(**question)
        case "verify":
            return verify(**question)
        case "statement":
            return statement(**question)


def main():
    warnings.simplefilter("ignore")
    logging.disable()
    if len(sys.argv) > 1:
        print(json.dumps(answer(json.loads(sys.argv[1]))))
        return
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
