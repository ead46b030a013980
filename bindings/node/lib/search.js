'use strict';

// The search for what an artifact is verified by, wherever it is stored: the library says what it needs, the caller gets it.

const { Handle, Need, SECRET, call, countIn, dataIn, datasIn, flagsIn, handleIn, made, messageIn, needed, optionsIn, textIn, textOf, timeIn } = require('./native.js');
const { digest: digestOf } = require('./digests.js');
const { Policy, VerifiedArtifact } = require('./policies.js');
const { Failure, TellsFailure, answered } = require('./failures.js');

const kinds = ['done', 'manifest', 'referrers', 'blob', 'hash'];

/** What is asked: a policy, the digest of an artifact and a time. */
class Request extends Handle {
  constructor(policy, digest, at, options = {}) {
    const { coveredBy, platform, envelopes, deep = false } = optionsIn(options, 'coveredBy', 'platform', 'envelopes', 'deep');
    super(SECRET, 'request', made('request_new', handleIn(policy, Policy), textIn(digest), timeIn(at)));
    if (coveredBy !== undefined) call('request_covered_by', this._pointer, textIn(coveredBy));
    if (platform !== undefined) call('request_platform', this._pointer, textIn(platform));
    if (envelopes !== undefined) call('request_envelopes', this._pointer, ...datasIn(envelopes));
    if (deep) call('request_deep', this._pointer);
  }
}

/** A search by steps: `next`, then one of the `provide` methods, until done; then `finish`. `run` does it all. */
class Search extends Handle {
  constructor(request) {
    super(SECRET, 'search', made('search_new', handleIn(request, Request)));
  }
  next() {
    const { kind, thorough, digest, limit, entries } = needed('search_next', this._pointer, Need);
    return { kind: kinds[kind], digest: textOf(digest), limit: Number(limit), entries: Number(entries), thorough: thorough !== 0 };
  }
  provideBytes(data) {
    call('search_provide_bytes', this._pointer, dataIn(data));
  }
  provideHash(digest, size) {
    call('search_provide_hash', this._pointer, textIn(digest), countIn(size));
  }
  provideReferrers(index, { complete, more = false }) {
    call('search_provide_referrers', this._pointer, dataIn(index), complete ? 1 : 0, more ? 1 : 0);
  }
  provideFailure(failure, message = '') {
    call('search_provide_failure', this._pointer, flagsIn(failure), messageIn(message));
  }
  /** The outcome: throws unless the artifact is verified. */
  finish() {
    return new VerifiedArtifact(SECRET, 'verified_artifact', made('search_finish', this._pointer));
  }
  /** Gets what is needed from `store`, whose methods may be asynchronous, until the outcome is known. */
  run(store) {
    return this._alone((search) => run(search, store));
  }
}

async function run(search, store) {
  const failures = new TellsFailure();
  for (let need = search.next(); need.kind !== 'done'; need = search.next()) {
    const answer = await failures.of(async () => answered(await get(store, need)));
    if (failures.told) search.provideFailure(failures.told.failure, failures.told.message);
    else if (answer === null) search.provideFailure(Failure.NOT_FOUND);
    else if (need.kind === 'referrers') search.provideReferrers(answer.index, answer);
    else if (need.kind === 'hash') search.provideHash(answer.digest, answer.size);
    else search.provideBytes(answer);
  }
  return search.finish();
}

async function get(store, need) {
  if (need.kind !== 'hash' || store.hash) return store[need.kind](need.digest, need);
  const data = await store.blob(need.digest, need);
  return data && { digest: digestOf(data, need.digest.split(':')[0]), size: data.byteLength };
}

module.exports = { Request, Search };
