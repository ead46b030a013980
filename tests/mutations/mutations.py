"""Breaks a copy of the code in one way at a time and runs the package's tests: each must fail, or the tests see nothing.

    tests/mutations/run.sh             every mutation
    tests/mutations/run.sh WORD...     those whose file or text has one of the words
"""

import os
import shutil
import subprocess
import sys

# package, file, what is there, what is put in its place
MUTATIONS = [
    ("touchmark-envelope", "crates/envelope/src/threshold.rs", "if set.keys.contains(&key) {", "if false {"),
    ("touchmark-envelope", "crates/envelope/src/threshold.rs", "if needed == 0 {", "if false {"),
    ("touchmark-envelope", "crates/envelope/src/threshold.rs", "if found < self.needed {", "if false {"),
    ("touchmark-envelope", "crates/envelope/src/threshold.rs", "*vouching |= signers.keys.contains(key);", "*vouching = true;"),
    ("touchmark-envelope", "crates/envelope/src/threshold.rs", "if key.verify(message, &signature.bytes).is_ok() {", "if true {"),
    ("touchmark-trust", "crates/envelope/src/threshold.rs", "if checks == budget {", "if false {"),
    ("touchmark-envelope", "crates/envelope/src/dsse.rs", "if listed.is_empty() {", "if false {"),
    ("touchmark-envelope", "crates/envelope/src/dsse.rs", "if listed.len() > limits.signatures {", "if false {"),
    ("touchmark-envelope", "crates/envelope/src/dsse.rs", "{} {payload_type} {} ", "{} {payload_type}{} "),
    ("touchmark-envelope", "crates/envelope/src/statement.rs", "!self.digests.is_empty() && ", ""),
    ("touchmark-envelope", "crates/envelope/src/statement.rs", ".all(|digest| digests.contain(digest))", ".any(|digest| digests.contain(digest))"),
    ("touchmark-envelope", "crates/envelope/src/statement.rs", "Some(TYPE) => {}", "Some(_) => {}"),
    ("touchmark-envelope", "crates/envelope/src/signature.rs", "if statement.predicate_type != self.predicate_type {", "if false {"),
    ("touchmark-envelope", "crates/envelope/src/signature.rs", "if signature.media_type != self.media_type {", "if false {"),
    ("touchmark-envelope", "crates/envelope/src/signature.rs", "if signature.size != found {", "if false {"),
    ("touchmark-envelope", "crates/envelope/src/signature.rs", "&& self.at >= expires", "&& self.at > expires"),
    ("touchmark-envelope", "crates/envelope/src/signature.rs", "if signature.annotations.get(key) != Some(wanted) {", "if false {"),
    ("touchmark-envelope", "crates/envelope/src/signature.rs", "(Some(wanted), Some(signed)) if wanted.accepts(signed) => Ok(()),", "(Some(_), Some(_)) => Ok(()),"),
    ("touchmark-envelope", "crates/envelope/src/name.rs", "signed.version.is_some() && name.path == signed.path", "name.path == signed.path"),
    ("touchmark-envelope", "crates/envelope/src/name.rs", "(2..=MAX_COMPONENTS).contains(&found)", "(1..=MAX_COMPONENTS).contains(&found)"),
    ("touchmark-envelope", "crates/envelope/src/manifest.rs", "if image && index {", "if false {"),
    ("touchmark-envelope", "crates/envelope/src/manifest.rs", "is_index_type(said) == index && is_image_type(said) != index", "true"),
    ("touchmark-envelope", "crates/envelope/src/digest.rs", "b'a'..=b'f' => digit - b'a' + 10,", "b'a'..=b'f' => digit - b'a' + 10,\n                    b'A'..=b'F' => digit - b'A' + 10,"),
    ("touchmark-envelope", "crates/envelope/src/time.rs", "second > 59", "second > 60"),
    ("touchmark-trust", "crates/trust/src/search.rs", "Answer::Bytes(bytes) if digest.matches(&bytes) => Ok(bytes),", "Answer::Bytes(bytes) => Ok(bytes),"),
    ("touchmark-trust", "crates/trust/src/search.rs", "if !manifest.subject.as_ref().is_some_and(is_subject) {", "if false {"),
    ("touchmark-trust", "crates/trust/src/search.rs", "if layer.digest.matches(&data) && length(&data) == layer.size", "if true"),
    ("touchmark-trust", "crates/trust/src/search.rs", "(Kind::Index { .. }, _) => Some", "(Kind::Index { .. }, _) if false => Some"),
    ("touchmark-trust", "crates/trust/src/search.rs", "entry.media_type == found.media_type && ", ""),
    ("touchmark-trust", "crates/trust/src/search.rs", "if digest == descriptor.digest && size == descriptor.size {", "if true {"),
    ("touchmark-trust", "crates/trust/src/search.rs", ".take(limit)", ""),
    ("touchmark-trust", "crates/trust/src/search.rs", "} else if !complete {", "} else if false {"),
    ("touchmark-trust", "crates/trust/src/demand.rs", "if envelope.payload_type != dsse::IN_TOTO {", "if false {"),
    ("touchmark-trust", "crates/trust/src/demand.rs", "Some(Wanted::AnyVersion(_)) => name.cloned(),", "Some(Wanted::AnyVersion(_)) => None,"),
    ("touchmark-trust", "crates/trust/src/demand.rs", "if signers.keys().is_empty() {", "if false {"),
    ("touchmark-trust", "crates/trust/src/demand.rs", "demand.untried |= signers.gave_up();", ""),
    ("touchmark-envelope", "crates/envelope/src/key/ed25519.rs", "if !is_canonical(&bytes) {", "if false {"),
    ("touchmark-envelope", "crates/envelope/src/key/ed25519.rs", "if key.is_weak() {", "if false {"),
    ("touchmark-envelope", "crates/envelope/src/key/ed25519.rs", "self.0.verify_strict(message, &signature)", "ed25519_dalek::Verifier::verify(&self.0, message, &signature)"),
    ("touchmark-envelope", "crates/envelope/src/key/ecdsa.rs", "reader.finish().ok()?;", ""),
    ("touchmark-envelope", "crates/envelope/src/key/spki.rs", "(ED25519, Some(_)) =>", "(ED25519, Some(_)) if true => Ok(KeyAlgorithm::Ed25519),\n        (ED25519, Some(_)) =>"),
    ("touchmark-envelope", "crates/envelope/src/key.rs", ".find(|block| block.label.ends_with(\"PRIVATE KEY\"))", ".find(|_| false)"),
    ("touchmark-envelope", "crates/envelope/src/pem.rs", "after.strip_prefix(label).and_then(|after| after.strip_prefix(DASHES))", "after.split_once(DASHES).map(|(_, after)| after)"),
    ("touchmark-envelope", "crates/envelope/src/sign/pkcs8.rs", "if public != *key.public_key() {", "if false {"),
    ("touchmark-envelope", "crates/envelope/src/sign/pkcs8.rs", "(Some(outer), Some(inner)) if outer != inner =>", "(Some(outer), Some(inner)) if outer != inner && false =>"),
    ("touchmark-envelope", "crates/envelope/src/sign/pbes2.rs", "Some(length) if usize::from(length) != cipher.key_length() =>", "Some(length) if usize::from(length) != cipher.key_length() && false =>"),
    ("touchmark-envelope", "crates/envelope/src/sign/envelope.rs", "let _valid = key.verify(&signed, &bytes).map_err(|_| SignError::NotBySigner)?;", ""),
    ("touchmark-envelope", "crates/envelope/src/sign/envelope.rs", "if self.signatures.iter().any(|signature| key.verify(&signed, &signature.bytes).is_ok()) {", "if false {"),
    ("touchmark", "crates/touchmark/src/keys/platform.rs", "mode & 0o077 != 0", "mode & 0o004 != 0"),
    ("touchmark", "crates/touchmark/src/keys/file.rs", "platform::create(&temporary, mode)", "platform::create(&temporary, 0o644)"),
    ("touchmark", "crates/touchmark/src/keys/program.rs", "let _valid = self.key.verify(message, &signature).map_err(|_| SignError::NotBySigner)?;", ""),
    ("touchmark", "crates/touchmark/src/keys/program.rs", ".env_remove(PASSPHRASE_VARIABLE)", ""),
    ("touchmark", "crates/touchmark/src/sign/claim.rs", "&& existing.annotations == built.annotations", ""),
    ("touchmark", "crates/touchmark/src/sign/claim.rs", "existing.expires) {\n            (None, None)", "existing.expires) {\n            (_, None)"),
    ("touchmark", "crates/touchmark/src/sign/claim.rs", "half <= expires", "true"),
    ("touchmark", "crates/touchmark/src/sign/offline.rs", "if ours.to_json() != envelope.payload {", "if false {"),
    ("touchmark", "crates/touchmark/src/sign/offline.rs", "|latest| theirs.issued > latest", "|_| false"),
    ("touchmark", "crates/touchmark/src/sign/offline.rs", "compare(&theirs, &ours)?;", ""),
    ("touchmark", "crates/touchmark/src/sign/attestation.rs", "if predicate_type.starts_with(SIGNATURES) || predicate_type == PREDICATE_TYPE {", "if false {"),
    ("touchmark-envelope", "crates/envelope/src/manifest.rs", "refuse_lookalikes(&document, MEMBERS)?;", ""),
    ("touchmark-envelope", "crates/envelope/src/manifest.rs", "if has(&[\"blobs\", \"fsLayers\"]) {", "if false {"),
    ("touchmark-envelope", "crates/envelope/src/json/read.rs", "room.take(lexer.at())?;", ""),
    ("touchmark-envelope", "crates/envelope/src/json/read.rs", "    lexer.end()?;\n    distinct(names)?;\n    Ok(members)", "    lexer.end()?;\n    Ok(members)"),
    ("touchmark-envelope", "crates/envelope/src/threshold.rs", "for round in [Round::First, Round::Rest] {", "for round in [Round::Rest, Round::First] {"),
    ("touchmark-trust", "crates/trust/src/search.rs", "Answer::Bytes(bytes) if length(&bytes) > bound.bytes => Err", "Answer::Bytes(bytes) if false => Err"),
    ("touchmark-trust", "crates/trust/src/search.rs", "if self.work == 0 && !self.queue.is_empty() {", "if false {"),
    ("touchmark-trust", "crates/trust/src/search.rs", "Some(size) if size == descriptor.size => {}", "Some(_) if true => {}"),
    ("touchmark-trust", "crates/trust/src/search.rs", ".find(|group| others.iter().all(|demand| demand.has_reached(group)))", ".find(|_| others.iter().all(Demand::is_reached))"),
    ("touchmark-trust", "crates/trust/src/demand.rs", "Place::Attestation => !self.is_signature(),", "Place::Attestation => true,"),
    ("touchmark-trust", "crates/trust/src/demand.rs", "if size > *room.kept {", "if false {"),
    ("touchmark-trust", "crates/trust/src/candidate.rs", "alloc::format!(\"{} at byte {}\", error.code(), error.offset)", "error.to_string()"),
    ("touchmark-trust", "crates/envelope/src/threshold.rs", "if new {", "if true {"),
    ("touchmark-oci", "crates/oci/src/registry/listing.rs", "            }\n            look = true;\n", "            }\n"),
    ("touchmark-oci", "crates/oci/src/registry/listing.rs", "look = true;\n                    wait(CONTENDED);", "wait(CONTENDED);"),
    ("touchmark-oci", "crates/oci/src/registry/listing.rs", "            if there? {\n                now", "            if there? || true {\n                now"),
    ("touchmark-oci", "crates/oci/src/registry/listing.rs", "if self.anchored.len() < self.changes.own.len() {", "if false {"),
    ("touchmark-oci", "crates/oci/src/registry/listing.rs", "if self.lags <= MAX_LAGS {", "if false {"),
    ("touchmark-oci", "crates/oci/src/registry/merge.rs", "!self.gone.contains(&digest) && (new_digest", "(new_digest"),
    ("touchmark-oci", "crates/oci/src/registry/merge.rs", "if merged.entries().iter().any(|entry| wrong(&merged, entry)) {", "if false {"),
    ("touchmark-oci", "crates/oci/src/registry/write.rs", "Some(said) if said.algorithm().digest(bytes) != said =>", "Some(said) if false =>"),
    ("touchmark-oci", "crates/oci/src/registry/attach.rs", "if listed.contains(digest) { self.has_manifest(digest) } else { Ok(false) }", "Ok(listed.contains(digest))"),
    ("touchmark-oci", "crates/oci/src/registry/upload.rs", "Some(expected) if expected.digest != digest => {", "Some(expected) if false => {"),
    ("touchmark-oci", "crates/oci/src/registry/detach.rs", "            self.check_deletes()?;\n", ""),
]


def main() -> int:
    words = sys.argv[1:]
    copy = "target/mutations"
    os.makedirs(copy, exist_ok=True)
    files = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, files):
        to = os.path.join(copy, name)
        os.makedirs(os.path.dirname(to), exist_ok=True)
        shutil.copy2(name, to)
    chosen = [m for m in MUTATIONS if not words or any(w in m[1] or w in m[2] for w in words)]
    survived = []
    for package, file, before, after in chosen:
        with open(os.path.join(copy, file), encoding="utf-8") as source:
            original = source.read()
        if original.count(before) < 1:
            print(f"{file}: no such text: {before}")
            return 1
        with open(os.path.join(copy, file), "w", encoding="utf-8") as target:
            target.write(original.replace(before, after, 1))
        command = ["cargo", "test", "--locked", "--quiet", "-p", package, "--all-features", "--no-fail-fast"]
        environment = {**os.environ, "CARGO_TARGET_DIR": os.path.abspath("target/mutations-target"), "RUSTFLAGS": "-Awarnings"}
        result = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
        built = "test result:" in result.stdout
        killed = result.returncode != 0 and built
        print(f"{'killed' if killed else 'SURVIVED' if built else 'DOES NOT COMPILE'}: {file}: {before!r} -> {after!r}", flush=True)
        if not killed:
            survived.append(before)
        with open(os.path.join(copy, file), "w", encoding="utf-8") as target:
            target.write(original)
    print(f"{len(chosen) - len(survived)} passed, {len(survived)} failed")
    return 1 if survived else 0


sys.exit(main())
