'use strict';

// With files, which are read on other threads: artifacts in OCI layouts, policy files, and trust roots with a store.

const { Handle, SECRET, callAsync, copied, handleIn, handlesIn, madeAsync, optionsIn, textIn, timeIn, wantedIn, written, writtenAsync } = require('./native.js');
const { Envelope } = require('./envelopes.js');
const { Policy, VerifiedArtifact } = require('./policies.js');
const { Request } = require('./search.js');
const { Standing } = require('./tuf.js');

/** An artifact in an OCI layout: `oci:PATH[:TAG][@DIGEST]` for a folder, `oci-archive:...` for a tar. */
class Source extends Handle {
  static async open(reference) {
    return new Source(SECRET, 'source', await madeAsync([], 'source_open', textIn(String(reference))));
  }
  async digest() {
    return (await writtenAsync([this], 'source_digest', this._pointer)).toString();
  }
  async manifest() {
    return writtenAsync([this], 'source_manifest', this._pointer);
  }
  /** Verifies it by what is stored with it. */
  async verify(policy, at) {
    return verified(await madeAsync([this, policy], 'source_verify', this._pointer, handleIn(policy, Policy), timeIn(at)));
  }
  async verifyRequest(request) {
    return verified(await madeAsync([this, request], 'source_verify_request', this._pointer, handleIn(request, Request)));
  }
  /** Stores envelopes with it; folders only. */
  async attach(envelopes) {
    const held = envelopes instanceof Handle ? [envelopes] : [...envelopes];
    await callAsync([this, ...held], 'source_attach', this._pointer, ...handlesIn(held, Envelope));
  }
}

function verified(pointer) {
  return new VerifiedArtifact(SECRET, 'verified_artifact', pointer);
}

/** A policy in a file, with the keys, roots and layouts that it names. */
class PolicyFile extends Handle {
  static async open(path) {
    return new PolicyFile(SECRET, 'policy_file', await madeAsync([], 'policy_file_open', textIn(String(path))));
  }
  /** Verifies an artifact by the rule that decides for it. */
  async verify(source, at, options = {}) {
    const asked = optionsIn(options, 'name', 'platform');
    const wanted = [wantedIn(asked, 'name'), wantedIn(asked, 'platform')];
    return verified(await madeAsync([this, source], 'policy_file_verify', this._pointer, handleIn(source, Source), ...wanted, timeIn(at)));
  }
}

/** A trust root with metadata in a folder and a store in another. Calls wait for one another. */
class TrustRoot extends Handle {
  #last = Promise.resolve();
  static async open(root, metadata, store, at) {
    const paths = [textIn(String(metadata)), textIn(String(store))];
    return new TrustRoot(SECRET, 'trust_root', await madeAsync([], 'trust_root_open', copied(textIn(root)), ...paths, timeIn(at)));
  }
  #after(work) {
    const next = this.#last.then(work);
    this.#last = next.catch(() => undefined);
    return next;
  }
  /** Verifies an artifact by what the trust root says of a name, and by the policy that its repository signs itself, where it has one. */
  async verify(source, name, at, options = {}) {
    const wanted = [textIn(name), wantedIn(optionsIn(options, 'platform'), 'platform'), timeIn(at)];
    return this.#after(async () => verified(await madeAsync([this, source], 'trust_root_verify', this._pointer, handleIn(source, Source), ...wanted)));
  }
  /** What the trust root says of a NAME or NAME:VERSION. The policy that its repository signs itself is not asked. */
  standing(name) {
    return this.#after(async () => new Standing(SECRET, 'standing', await madeAsync([this], 'trust_root_standing', this._pointer, textIn(name))));
  }
  /** The verified bytes of a target. Throws NotFound if nobody lists it. */
  target(path) {
    return this.#after(() => writtenAsync([this], 'trust_root_target', this._pointer, textIn(path)));
  }
  /** What is worth knowing beside the answers. */
  notes() {
    return this.#after(() => JSON.parse(written('trust_root_notes_json', this._pointer)));
  }
}

module.exports = { PolicyFile, Source, TrustRoot };
