'use strict';

// DSSE envelopes: reading, verifying, signing.

const { Handle, SECRET, bytesOf, call, countIn, dataIn, handleIn, handlesIn, lib, made, optionsIn, pairsIn, textIn, textOf, timeIn, written } = require('./native.js');
const { PublicKey, Signer, withSignatures } = require('./keys.js');

/** An envelope as it was read. Nothing in it is verified. */
class Envelope extends Handle {
  static parse(data) {
    return new Envelope(SECRET, 'envelope', made('envelope_parse', textIn(data)));
  }
  static sign(payloadType, payload, signers) {
    return new Envelope(SECRET, 'envelope', made('envelope_sign', textIn(payloadType), dataIn(payload), ...handlesIn(signers, Signer)));
  }
  static signAsync(payloadType, payload, signers) {
    return withSignatures(() => Envelope.sign(payloadType, payload, signers));
  }
  addSignature(signer) {
    return new Envelope(SECRET, 'envelope', made('envelope_add_signature', this._pointer, handleIn(signer, Signer)));
  }
  addSignatureAsync(signer) {
    return withSignatures(() => this.addSignature(signer));
  }
  /** Throws ThresholdNotReached unless `threshold` of the keys have signed. */
  verify(keys, threshold = 1) {
    const held = handlesIn(keys, PublicKey); // first: what gives the keys may close this
    const pointer = made('envelope_verify', this._pointer, ...held, countIn(threshold));
    return new VerifiedEnvelope(SECRET, 'verified_envelope', pointer);
  }
  get payloadType() {
    return textOf(lib.envelope_payload_type(this._pointer));
  }
  get untrustedPayload() {
    return bytesOf(lib.envelope_untrusted_payload(this._pointer));
  }
  get signatureKeyIds() {
    const length = Number(lib.envelope_signature_count(this._pointer));
    return Array.from({ length }, (_, index) => textOf(lib.envelope_signature_keyid(this._pointer, index)));
  }
  toJson() {
    return written('envelope_to_json', this._pointer);
  }
}

/** The payload of an envelope that enough keys signed. Made by `Envelope.verify` alone. */
class VerifiedEnvelope extends Handle {
  get payload() {
    return bytesOf(lib.verified_envelope_payload(this._pointer));
  }
  get payloadType() {
    return textOf(lib.verified_envelope_payload_type(this._pointer));
  }
  get keyIds() {
    const length = Number(lib.verified_envelope_key_count(this._pointer));
    return Array.from({ length }, (_, index) => textOf(lib.verified_envelope_key_id(this._pointer, index)));
  }
}

/** Signs a manifest, under a NAME or NAME:VERSION if one is given. */
function signManifest(manifest, signers, options) {
  const { issued, expires, name, mediaType, annotations } = optionsIn(options, 'issued', 'expires', 'name', 'mediaType', 'annotations');
  // In C no name is the empty one, and 0 is never: what was given must not become that.
  if (name !== undefined) call('name_check', textIn(name));
  const end = expires === undefined ? 0 : timeIn(expires) || -1;
  const pointer = made(
    'sign_manifest',
    dataIn(manifest),
    textIn(mediaType),
    textIn(name),
    ...pairsIn(annotations),
    timeIn(issued),
    end,
    ...handlesIn(signers, Signer),
  );
  return new Envelope(SECRET, 'envelope', pointer);
}

function signManifestAsync(manifest, signers, options) {
  return withSignatures(() => signManifest(manifest, signers, options));
}

module.exports = { Envelope, VerifiedEnvelope, signManifest, signManifestAsync };
