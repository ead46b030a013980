'use strict';

// Touchmark: verifies and signs OCI artifacts, by keys, by a trust root, and by how they were made.

const { lib, textOf } = require('./lib/native.js');
const { Hasher, canonicalJson, checkName, digest } = require('./lib/digests.js');
const { PrivateKey, PublicKey, Signer } = require('./lib/keys.js');
const { Envelope, VerifiedEnvelope, signManifest, signManifestAsync } = require('./lib/envelopes.js');
const { Client, Standing, Target } = require('./lib/tuf.js');
const { Accept, Policy, PolicyDocument, VerifiedArtifact } = require('./lib/policies.js');
const { Request, Search } = require('./lib/search.js');
const { SupplyChain, VerifiedSupplyChain, verifySupplyChain } = require('./lib/supply_chains.js');
const { PolicyFile, Source, TrustRoot } = require('./lib/sources.js');
const { Failure, FetchFailed } = require('./lib/failures.js');
const { errors } = require('./lib/errors.js');

const version = textOf(lib.version());

/** What this build of the library has beyond verifying without files: `sign`, `io`, `x509`, `supply-chain`. */
function features() {
  const bits = lib.features();
  return ['sign', 'io', 'x509', 'supply-chain'].filter((_, index) => bits & (1 << index));
}

/** The clock's time, in seconds since 1970. */
function now() {
  return Math.floor(Date.now() / 1000);
}

module.exports = {
  Accept,
  Client,
  Envelope,
  Failure,
  FetchFailed,
  Hasher,
  Policy,
  PolicyDocument,
  PolicyFile,
  PrivateKey,
  PublicKey,
  Request,
  Search,
  Signer,
  Source,
  Standing,
  SupplyChain,
  Target,
  TrustRoot,
  VerifiedArtifact,
  VerifiedEnvelope,
  VerifiedSupplyChain,
  ...errors,
  canonicalJson,
  checkName,
  digest,
  features,
  now,
  signManifest,
  signManifestAsync,
  verifySupplyChain,
  version,
};
