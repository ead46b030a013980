"""Breaks a copy of the code in one way at a time and runs the package's tests: each must fail, or the tests see nothing.

    tests/mutations/run.sh             every mutation
    tests/mutations/run.sh WORD...     those whose file or text has one of the words
    tests/mutations/run.sh --table     those of the TUF client, and writes tests/mutations/tuf.md, which says what became of each

Those of the TUF client (tuf.py) name the check that they take away, and the one test that must fail for it.
"""

import filecmp
import os
import shutil
import subprocess
import sys

import in_toto
import tuf

# package, file, what is there, what is put in its place
MUTATIONS = [
    ("touchmark-envelope", "crates/envelope/src/threshold.rs", "if self.keys.contains(&key) {", "if false {"),
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
    ("touchmark-trust", "crates/trust/src/search/mod.rs", "if digest.matches(&bytes) { Ok(bytes) }", "if true { Ok(bytes) }"),
    ("touchmark-trust", "crates/trust/src/search/candidates.rs", "if !manifest.subject.as_ref().is_some_and(is_subject) {", "if false {"),
    ("touchmark-trust", "crates/trust/src/search/candidates.rs", "if layer.digest.matches(&data) && length(&data) == layer.size", "if true"),
    ("touchmark-trust", "crates/trust/src/search/subject.rs", "(Kind::Index { .. }, _) => Some", "(Kind::Index { .. }, _) if false => Some"),
    ("touchmark-trust", "crates/trust/src/search/subject.rs", "entry.media_type == found.media_type && ", ""),
    ("touchmark-trust", "crates/trust/src/search/contents.rs", "if digest == descriptor.digest && size == descriptor.size {", "if true {"),
    ("touchmark-trust", "crates/trust/src/queue.rs", "if self.known.len() >= limit {", "if false {"),
    ("touchmark-trust", "crates/trust/src/search/candidates.rs", "} else if complete {", "} else if true {"),
    ("touchmark-trust", "crates/trust/src/standing/claim.rs", ".filter(|_| self.length > 0)", ""),
    ("touchmark-trust", "crates/trust/src/standing/claim.rs", "if !self.hashes.iter().all(same) || self.length", "if self.length"),
    ("touchmark-trust", "crates/trust/src/standing/claim.rs", " || self.length != found.digests.size()", ""),
    ("touchmark-trust", "crates/trust/src/standing/claim.rs", ".filter(|listed| *listed != found.media_type)", ".filter(|_| false)"),
    ("touchmark-trust", "crates/trust/src/standing/claim.rs", "Some(expires) if found.at >= expires", "Some(expires) if found.at > expires"),
    ("touchmark-trust", "crates/trust/src/standing/claim.rs", "self.details.annotations.get(*key) != Some(value)", "false"),
    ("touchmark-trust", "crates/trust/src/standing/member.rs", "        match version {\n            Some(VERSION) => Ok((read, sealed)),\n            _ =>", "        match version {\n            _ if true => Ok((read, sealed)),\n            _ =>"),
    ("touchmark-trust", "crates/trust/src/standing/member.rs", "_ => return Err(Malformed(\"it has an unknown member\")),", "_ => {}"),
    ("touchmark-trust", "crates/trust/src/standing/chain.rs", "if !next.terminating {", "if false {"),
    ("touchmark-trust", "crates/trust/src/standing/chain.rs", "if matches!(next.paths, Paths::HashPrefixes(_)) {", "if false {"),
    ("touchmark-trust", "crates/trust/src/standing/chain.rs", "if link.envelopes.contains(role.as_str()) {", "if true {"),
    ("touchmark-trust", "crates/trust/src/standing/mod.rs", ".filter(|outcome| outcome.target == target)", ""),
    ("touchmark-trust", "crates/trust/src/standing/mod.rs", "if !names.insert(delegation.name.as_str()) {", "if false {"),
    ("touchmark-trust", "crates/trust/src/standing/mod.rs", ".find(|document| found.at >= document.expires)", ".find(|document| found.at > document.expires)"),
    ("touchmark-trust", "crates/trust/src/standing/mod.rs", ".take(self.0.chain.length)", ""),
    ("touchmark-trust", "crates/trust/src/standing/mod.rs", ".chain(also.iter().flat_map(|also| also.all()))", ""),
    ("touchmark-trust", "crates/trust/src/standing/mod.rs", "own.chain(listed).find_map(", "own.chain(listed.take(0)).find_map("),
    ("touchmark-trust", "crates/trust/src/search/metadata.rs", "!kinds.contains(&by.kind())", "false"),
    ("touchmark-trust", "crates/trust/src/search/metadata.rs", "Some(wanted) if by.role() != Some(&**wanted) =>", "Some(wanted) if false =>"),
    ("touchmark-trust", "crates/trust/src/demand.rs", ".only(|key| demand.keys.keys().contains(key))", ".only(|_| true)"),
    ("touchmark-trust", "crates/trust/src/demand.rs", "Ok(Ok(unmet)) if unmet.is_empty() => {}", "Ok(Ok(_)) if true => {}"),
    ("touchmark-trust", "crates/trust/src/demand.rs", "needed: *needed, signers: Signing::Own", "needed: 1, signers: Signing::Own"),
    ("touchmark-trust", "crates/trust/src/demand.rs", "        if self.is_by_policy() {", "        if true {"),
    ("touchmark-trust", "crates/trust/src/demand.rs", "self.is_signature() && !self.attested", "self.is_signature()"),
    ("touchmark-trust", "crates/trust/src/demand.rs", "if demand.attested { &NO_ANNOTATIONS }", "if false { &NO_ANNOTATIONS }"),
    ("touchmark-trust", "crates/trust/src/search/supply_chain.rs", "let complete = is_last && !listing && supply.unseen.is_none();", "let complete = is_last && supply.unseen.is_none();"),
    ("touchmark-trust", "crates/trust/src/search/supply_chain.rs", "let complete = is_last && !listing && supply.unseen.is_none();", "let complete = is_last && !listing;"),
    ("touchmark-trust", "crates/trust/src/search/evidence.rs", "in_toto::Class::Usage | in_toto::Class::UntrustedMetadata)", "in_toto::Class::Usage)"),
    ("touchmark-trust", "crates/trust/src/search/evidence.rs", "settings.product = Some(product);", ""),
    ("touchmark-trust", "crates/trust/src/search/evidence.rs", "settings.inspectors = demand.inspectors.clone();", "settings.inspectors = demand.keys.clone();"),
    ("touchmark-trust", "crates/trust/src/search/evidence.rs", "        if !may_be_statement {", "        if true {"),
    ("touchmark-trust", "crates/trust/src/search/evidence.rs", "        while self.files > most", "        while false"),
    ("touchmark-trust", "crates/trust/src/search/evidence.rs", "Set::of(referrer, |found| subject.contain(found), manifest)", "Set::of(referrer, |_| true, manifest)"),
    ("touchmark-trust", "crates/trust/src/search/supply_chain.rs", "if !is_last {\n                return", "if false {\n                return"),
    ("touchmark-trust", "crates/in-toto/src/attached/verification.rs", "if !self.sets.is_complete() || self.sets.sets().len() > MAX_ALONE {", "if false {"),
    ("touchmark-trust", "crates/in-toto/src/attached/verification.rs", "if rejected.class() == Class::Unknown {", "if false {"),
    ("touchmark-in-toto", "crates/in-toto/src/attached/files.rs", "Ok(size) if size != entry.size", "Ok(_) if false"),
    ("touchmark-in-toto", "crates/in-toto/src/attached/files.rs", "_ if !entry.digest.matches(&bytes)", "_ if false"),
    ("touchmark-in-toto", "crates/in-toto/src/attached/files.rs", "if after > self.bytes {", "if false {"),
    ("touchmark-trust", "crates/trust/src/search/evidence.rs", "if !self.is_about_subject(&bytes) {", "if false {"),
    ("touchmark-trust", "crates/trust/src/search/evidence.rs", "if self.statements.get(&signed).is_some_and(|known| *known <= found) {", "if false {"),
    ("touchmark-trust", "crates/trust/src/search/evidence.rs", "while self.offered_bytes > self.most_offered", "while false"),
    ("touchmark-trust", "crates/trust/src/search/metadata.rs", "Err(why) if self.demands.iter().any(Demand::is_by_policy) => {", "Err(why) if false => {"),
    ("touchmark-trust", "crates/trust/src/policy.rs", "if self.standing.is_none() {\n            self.name", "if true {\n            self.name"),
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
    ("touchmark", "crates/touchmark/src/trust_root/target.rs", "kept.filter(|bytes| check_bytes(bytes, path, listed).is_ok())", "kept"),
    ("touchmark", "crates/touchmark/src/trust_root/home.rs", "if name.to_str().filter(is_hash).is_some_and(|hash| !is_listed(hash)) {", "if false {"),
    ("touchmark", "crates/touchmark/src/tuf/download.rs", "check.finish().map_err(|wrong| wrong.told(target, listed))", "{ let _ = (check, target, listed); Ok(()) }"),
    ("touchmark", "crates/touchmark/src/policy/lookup.rs", "return if named.is_absolute() {", "return if true {"),
    ("touchmark", "crates/touchmark/src/policy/lookup.rs", "std::fs::symlink_metadata(&path)", "std::fs::metadata(&path)"),
    ("touchmark", "crates/touchmark/src/policy/decide.rs", "(Err(one), Err(other)) if one.class().and(other.class()) != one.class() => Err(other),", ""),
    ("touchmark", "crates/touchmark/src/policy/decide.rs", "let path = folder.join(text);", "let path = Path::new(text).to_owned();"),
    ("touchmark", "crates/touchmark/src/segment.rs", "if !is_one_name(segment) {", "if false {"),
    ("touchmark", "crates/touchmark/src/segment.rs", "if segments.peek().is_some() && !files::is_folder(&place)? {", "if false {"),
    ("touchmark", "crates/touchmark/src/in_toto/artifacts.rs", "&& !target.starts_with(&self.canonical)", "&& false"),
    ("touchmark", "crates/touchmark/src/in_toto/artifacts.rs", "if by.iter().any(|place| place.starts_with(&target)) {", "if false {"),
    ("touchmark", "crates/touchmark/src/in_toto/artifacts.rs", "if self.seen > self.recorder.limit {", "if false {"),
    ("touchmark", "crates/touchmark/src/in_toto/artifacts.rs", "SymbolicLinks::Within => Err(RecordError::Irregular { path, what }),", "SymbolicLinks::Within => { let _ = (path, what); Ok(()) }"),
    ("touchmark", "crates/touchmark/src/in_toto/artifacts.rs", "_ => return Err(RecordError::Outside { path: path.to_owned() }),", "_ => {}"),
    ("touchmark-cli", "crates/touchmark/src/in_toto/verify.rs", "Need::Inspection { folder, inspection } if folder.is_empty() =>", "Need::Inspection { folder: _, inspection } =>"),
    ("touchmark-cli", "crates/touchmark/src/in_toto/inspect/mod.rs", "if !self.names.contains(&inspection.name) {", "if false {"),
    ("touchmark-cli", "crates/touchmark/src/in_toto/inspect/process.rs", "let killed = kill_process_group(leader, Signal::KILL);", "let killed = if in_time { Ok(()) } else { kill_process_group(leader, Signal::KILL) };"),
    ("touchmark-cli", "crates/touchmark/src/in_toto/inspect/process.rs", ".filter(|folder| folder.is_absolute())", ""),
    ("touchmark-cli", "crates/touchmark/src/in_toto/inspect/process.rs", "command.env_clear()", "command"),
    ("touchmark-cli", "crates/touchmark/src/in_toto/inspect/process.rs", "Ok(status.code().map_or(-1, i64::from))", "Ok(status.code().map_or(0, i64::from))"),
    ("touchmark-in-toto", "crates/in-toto/src/attached/set.rs", "&& path.split('/').all(is_segment)", ""),
    ("touchmark-in-toto", "crates/in-toto/src/attached/set.rs", "|| !is_of_subject {", "{"),
    ("touchmark-in-toto", "crates/in-toto/src/attached/set.rs", "if layers.len() > MAX_FILES {", "if false {"),
    ("touchmark-cli", "crates/touchmark/src/in_toto/attached/source.rs", "complete &= error.class() == Class::Malformed;", ""),
    ("touchmark-cli", "crates/in-toto/src/attached/files.rs", "if !self.complete {", "if false {"),
    ("touchmark-trust", "crates/in-toto/src/attached/verification.rs", "if self.sets.sets().len() > 1 { 0 } else { return }", "return"),
    ("touchmark-cli", "crates/cli/src/commands/in_toto/verify/summary.rs", "(Some(Class::NotVerified), Kind::Vsa) =>", "(Some(_), Kind::Vsa) =>"),
    ("touchmark-cli", "crates/cli/src/commands/in_toto/verify/links.rs", "signers(keys).keys().len() == keys.keys().len()", "signers(keys).keys().len() <= keys.keys().len()"),
    ("touchmark-cli", "crates/touchmark/src/in_toto/unfinished.rs", "\"products\" => (name.to_owned(), Value::object([(MARK, digest.clone())])),", "\"products\" => { let _ = &digest; (name.to_owned(), value.clone().into_owned()) }"),
    ("touchmark-cli", "crates/touchmark/src/in_toto/unfinished.rs", "if has_command || products.iter().any(|(name, _)| name != MARK) {", "if has_command {"),
    ("touchmark-cli", "crates/touchmark/src/in_toto/artifacts.rs", "if self.recorder.secrets.iter().any(|secret| secret.is(&target)) {", "if false {"),
    ("touchmark-cli", "crates/cli/src/commands/in_toto/record.rs", "left_out.is_missing && !self.common.allow_missing", "false && left_out.is_missing"),
    ("touchmark", "crates/touchmark/src/in_toto/exclude.rs", "(is_folder || !self.folders) && ", ""),
    ("touchmark", "crates/touchmark/src/in_toto/sign.rs", "let _valid = key.verify(message, &bytes).map_err(|_| SignError::NotBySigner)?;", ""),
    ("touchmark", "crates/touchmark/src/in_toto/sign.rs", "if known.iter().any(|signature| key.verify(message, &signature.bytes).is_ok()) {", "if false {"),
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
    ("touchmark-envelope", "crates/envelope/src/json/read.rs", "    lexer.end()?;\n    distinct(&names)?;\n    Ok(members)", "    lexer.end()?;\n    Ok(members)"),
    ("touchmark-envelope", "crates/envelope/src/threshold.rs", "for round in [Round::First, Round::Rest] {", "for round in [Round::Rest, Round::First] {"),
    ("touchmark-trust", "crates/trust/src/search/mod.rs", "Answer::Bytes(bytes) if length(&bytes) > bound.bytes => Err", "Answer::Bytes(bytes) if false => Err"),
    ("touchmark-trust", "crates/trust/src/search/candidates.rs", "if self.work == 0 && !self.queue.is_empty() {", "if false {"),
    ("touchmark-trust", "crates/trust/src/search/candidates.rs", "if self.work == 0 {", "if false {"),
    ("touchmark-trust", "crates/trust/src/search/contents.rs", "Some(size) if size == descriptor.size => {}", "Some(_) if true => {}"),
    ("touchmark-trust", "crates/trust/src/search/candidates.rs", ".find(|group| others.iter().all(|demand| demand.has_reached(group)))", ".find(|_| others.iter().all(Demand::is_reached))"),
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
    # What the C interface itself decides: the order of calls, whose failure it is, what is refused before anything is made.
    ("touchmark-capi", "crates/capi/src/fetch.rs", "(_, None) if given.overflowed => Fetched::TooLarge,", ""),
    ("touchmark-capi", "crates/capi/src/step.rs", "take_if(|asked| is_for(asked))", "take_if(|_| true)"),
    ("touchmark-capi", "crates/capi/src/tuf.rs", "        self.client.look_up(&outcome.target)?;\n", ""),
    ("touchmark-capi", "crates/capi/src/reasons_of_metadata.rs", "=> TOUCHMARK_STATUS_ROLLBACK,", "=> TOUCHMARK_STATUS_UNTRUSTED_METADATA,"),
    ("touchmark-capi", "crates/capi/src/supply_chain.rs", ".verification.need().is_some() {", ".verification.need().is_some() && false {"),
    ("touchmark-capi", "crates/capi/src/path.rs", '"" => Err', '"\\u{1}" => Err'),
    ("touchmark-capi", "crates/capi/src/trust_root.rs", "failed.get().filter(|_| is_unfetched)", "failed.get().filter(|_| false)"),
    ("touchmark-capi", "crates/capi/src/trust_root.rs", "    check_root(root, at)?;\n", ""),
    ("touchmark-capi", "crates/capi/src/tuf_target.rs", "digest.algorithm().digest(bytes) != **digest", "false"),
    ("touchmark-capi", "crates/capi/src/tuf_drive.rs", "Failure::new(TOUCHMARK_STATUS_CALLBACK_FAILED", "Failure::new(crate::status::TOUCHMARK_STATUS_UNKNOWN"),
    ("touchmark-capi", "crates/capi/src/tuf_drive.rs", "rest.iter().any(|byte| *byte != 0)", "false"),
    ("touchmark-capi", "crates/capi/src/source.rs", "::new(artifact, manifest))", "::new(artifact, Vec::new()))"),
    ("touchmark-capi", "crates/capi/src/search.rs", "const LEADING: usize = 2;", "const LEADING: usize = 1;"),
    ("touchmark-capi", "crates/capi/src/failure.rs", "one_line(message.into())", "message.into()"),
    ("touchmark-capi", "crates/capi/src/signer.rs", " && given.message.is_none()", ""),
    ("touchmark-capi", "crates/capi/src/tuf_drive.rs", "TOUCHMARK_STATUS_NOT_FOUND => Answer::Done,", ""),
    ("touchmark-capi", "crates/capi/src/policy.rs", "policy.wanted_name().filter(|before| **before != wanted)", "policy.wanted_name().filter(|_| false)"),
    ("touchmark-capi", "crates/capi/src/policy.rs", "policy.wanted_role().filter(|before| *before != role)", "policy.wanted_role().filter(|_| false)"),
]
MUTATIONS += [("touchmark-in-toto", f"crates/in-toto/src/{file}", before, after) for file, before, after in in_toto.MUTATIONS]


COPY = "target/mutations"
TABLE = "tests/mutations/tuf.md"
KILLED, SURVIVED, BROKEN = "killed", "SURVIVED", "DOES NOT COMPILE"


class Absent(Exception):
    """A text that is to be replaced is not there, or a test is not."""


def cargo_test(package: str, *arguments: str) -> subprocess.CompletedProcess:
    command = ["cargo", "test", "--locked", "--quiet", "-p", package, "--all-features", "--no-fail-fast", *arguments]
    environment = {**os.environ, "CARGO_TARGET_DIR": os.path.abspath("target/mutations-target"), "RUSTFLAGS": "-Awarnings"}
    return subprocess.run(command, cwd=COPY, env=environment, capture_output=True, text=True)


def try_mutation(file: str, before: str | tuple, after: str | tuple, package: str, *arguments: str) -> str:
    """Runs the tests with one text or some replaced, and says what became of the mutation."""
    path = os.path.join(COPY, file)
    with open(path, encoding="utf-8") as source:
        original = source.read()
    mutated = original
    for old, new in [(before, after)] if isinstance(before, str) else zip(before, after, strict=True):
        if old not in mutated:
            raise Absent(f"{file}: no such text: {old}")
        mutated = mutated.replace(old, new, 1)
    with open(path, "w", encoding="utf-8") as target:
        target.write(mutated)
    try:
        result = cargo_test(package, *arguments)
    finally:
        with open(path, "w", encoding="utf-8") as target:
            target.write(original)
    if "test result:" not in result.stdout:
        return BROKEN
    return KILLED if result.returncode != 0 else SURVIVED


def tuf_tests() -> set[str]:
    """The tests of the TUF client, which all pass as long as nothing is mutated."""
    listed = cargo_test("touchmark-tuf", "--test", "client", "--", "--list")
    tests = {line.removesuffix(": test") for line in listed.stdout.splitlines() if line.endswith(": test")}
    named = sorted({mutation[-1] for mutation in tuf.MUTATIONS})
    if missing := [test for test in named if test not in tests]:
        raise Absent(f"no such tests: {', '.join(missing)}")
    if cargo_test("touchmark-tuf", "--test", "client", "--", "--exact", *named).returncode != 0:
        raise Absent("a test of the TUF client fails before anything is mutated")
    return tests


def write_table(outcomes: list[str]) -> None:
    lines = [
        "# The TUF client's checks, taken away one by one",
        "",
        "Written by `tests/mutations/run.sh --table` from `tuf.py`, which has the patches: what is checked (with the clause of TUF 1.0), where in",
        "`crates/tuf/src`, the test in `crates/tuf/tests/client` that is run without the check, and what became of the mutation.",
        "",
        "| check | where | test | outcome |",
        "|---|---|---|---|",
    ]
    for (check, file, _, _, test), outcome in zip(tuf.MUTATIONS, outcomes, strict=True):
        lines.append(f"| {check} | {file} | `{test}` | {outcome} |")
    with open(TABLE, "w", encoding="utf-8") as table:
        table.write("\n".join(lines) + "\n")


def main() -> int:
    arguments = sys.argv[1:]
    table = "--table" in arguments
    words = [word for word in arguments if word != "--table"]
    os.makedirs(COPY, exist_ok=True)
    files = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(os.path.exists, filter(None, files)):
        to = os.path.join(COPY, name)
        os.makedirs(os.path.dirname(to), exist_ok=True)
        # With the time of the copy: an older one would let cargo take what was built of the last mutation for the source.
        if not os.path.exists(to) or not filecmp.cmp(name, to, shallow=False):
            shutil.copy(name, to)

    def wanted(*texts: str) -> bool:
        return not words or any(word in text for word in words for text in texts)

    chosen = [] if table else [m for m in MUTATIONS if wanted(m[1], m[2])]
    clauses = [m for m in tuf.MUTATIONS if wanted("crates/tuf/src/" + m[1], str(m[2]), m[0])]
    outcomes, survived = [], []
    try:
        for package, file, before, after in chosen:
            outcome = try_mutation(file, before, after, package)
            print(f"{outcome}: {file}: {before!r} -> {after!r}", flush=True)
            if outcome != KILLED:
                survived.append(before)
        if clauses:
            tuf_tests()
        for check, file, before, after, test in clauses:
            file = "crates/tuf/src/" + file
            outcome = try_mutation(file, before, after, "touchmark-tuf", "--test", "client", "--", "--exact", test)
            print(f"{outcome}: {check}: {test}", flush=True)
            outcomes.append(outcome)
            if outcome != KILLED:
                survived.append(before)
    except Absent as error:
        print(error)
        return 1
    if table and not words:
        write_table(outcomes)
    total = len(chosen) + len(clauses)
    print(f"{total - len(survived)} passed, {len(survived)} failed")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
