'use strict';

// What is asked of an artifact, and the artifacts that were verified.

const { Handle, SECRET, bytesOf, call, countIn, dataIn, datasIn, flagsIn, handleIn, handlesIn, lib, made, optionsIn, plain, textIn, textOf, textsOf, timeIn, written } = require('./native.js');
const { PublicKey } = require('./keys.js');
const { Standing } = require('./tuf.js');

/** By what a trust root may accept. */
const Accept = Object.freeze({ ENTRY: 1, SEAL: 2, ENVELOPES: 4 });

/** An artifact that was verified. There is no other way to one than a verification that succeeded. */
class VerifiedArtifact extends Handle {
  get digest() {
    return textOf(lib.verified_artifact_digest(this._pointer));
  }
  get mediaType() {
    return textOf(lib.verified_artifact_media_type(this._pointer));
  }
  get size() {
    return Number(lib.verified_artifact_size(this._pointer));
  }
  get manifest() {
    const manifest = bytesOf(lib.verified_artifact_manifest(this._pointer));
    return manifest.length ? manifest : undefined;
  }
  get name() {
    return textOf(lib.verified_artifact_name(this._pointer)) || undefined;
  }
  toJson() {
    return written('verified_artifact_to_json', this._pointer);
  }
  get report() {
    return JSON.parse(this.toJson());
  }
}

/** What is asked of an artifact. It does not change. */
class Policy extends Handle {
  static fromKeys(keys, asked = {}) {
    const { threshold = 1, ...conditions } = plain(asked);
    return build(made('policy_builder_from_keys', ...handlesIn(keys, PublicKey), countIn(threshold)), conditions);
  }
  /** By the metadata's word alone: the policy that the trust repository signs itself is asked by `TrustRoot.verify`. */
  static fromStanding(standing, conditions = {}) {
    return build(made('policy_builder_from_standing', handleIn(standing, Standing)), conditions);
  }
  /** Verifies a manifest by envelopes that are at hand. Reads and asks nothing else. */
  verifyManifest(manifest, envelopes, at) {
    const given = datasIn(envelopes); // first: what gives the envelopes may close this
    return new VerifiedArtifact(SECRET, 'verified_artifact', made('verify_manifest', this._pointer, dataIn(manifest), ...given, timeIn(at)));
  }
}

function build(builder, conditions) {
  try {
    const asked = optionsIn(conditions, 'name', 'annotations', 'predicateTypes', 'supplyChain', 'acceptOnly', 'byRole');
    // A value that is missing would ask for nothing.
    const missing = Object.keys(asked).find((key) => asked[key] === undefined);
    if (missing) throw new TypeError(`${missing} is undefined, which asks for nothing; leave it out if that is meant`);
    const { name, annotations, predicateTypes = [], supplyChain, acceptOnly, byRole } = asked;
    if (name !== undefined) call('policy_builder_set_name', builder, textIn(name));
    for (const [key, value] of textsOf(annotations)) call('policy_builder_require_annotation', builder, textIn(key), textIn(value));
    for (const type of typeof predicateTypes === 'string' ? [predicateTypes] : predicateTypes) call('policy_builder_require_predicate', builder, textIn(type));
    if (supplyChain !== undefined) {
      const { layout, keys } = supplyChain;
      call('policy_builder_require_supply_chain', builder, dataIn(layout), ...handlesIn(keys, PublicKey));
    }
    if (acceptOnly !== undefined) call('policy_builder_accept_only', builder, flagsIn(acceptOnly));
    if (byRole !== undefined) call('policy_builder_by_role', builder, textIn(byRole));
    return new Policy(SECRET, 'policy', made('policy_builder_build', builder));
  } finally {
    lib.policy_builder_free(builder);
  }
}

/** A policy as a document: which rule decides for a reference or a name. */
class PolicyDocument extends Handle {
  static read(document, options = {}) {
    const { signed = false } = optionsIn(options, 'signed');
    return new PolicyDocument(SECRET, 'policy_document', made('policy_document_read', textIn(document), signed ? 2 : 1));
  }
  check() {
    return JSON.parse(written('policy_document_check', this._pointer));
  }
  decide(question) {
    return JSON.parse(this.decideJson(question));
  }
  decideJson(question) {
    const { reference, name } = optionsIn(question, 'reference', 'name');
    return written('policy_document_decide', this._pointer, textIn(reference), textIn(name));
  }
}

module.exports = { Accept, Policy, PolicyDocument, VerifiedArtifact };
