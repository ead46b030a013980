'use strict';

// Public keys, private keys, and signers, which may be functions.

const { Handle, SECRET, Sign, bytesOf, call, callback, copied, dataIn, handleIn, koffi, lib, made, madeAsync, textIn, textOf, written, writtenAsync } = require('./native.js');

const algorithms = { ed25519: 1, 'ecdsa-p256': 2, 'ecdsa-p384': 3, 'rsa-pss': 4 };

function number(algorithm) {
  if (!Object.hasOwn(algorithms, algorithm)) throw new TypeError(`${algorithm} is no algorithm; ${Object.keys(algorithms).join(', ')} are`);
  return algorithms[algorithm];
}

/** A public key. */
class PublicKey extends Handle {
  static read(pemOrDer) {
    return new PublicKey(SECRET, 'public_key', made('public_key_read', textIn(pemOrDer)));
  }
  static fromRaw(algorithm, raw) {
    return new PublicKey(SECRET, 'public_key', made('public_key_from_raw', number(algorithm), dataIn(raw)));
  }
  get algorithm() {
    const found = lib.public_key_algorithm(this._pointer);
    return Object.keys(algorithms).find((name) => algorithms[name] === found) ?? String(found);
  }
  get raw() {
    return bytesOf(lib.public_key_raw(this._pointer));
  }
  get keyId() {
    return textOf(lib.public_key_id(this._pointer));
  }
  toPem() {
    return written('public_key_to_pem', this._pointer).toString();
  }
  equals(other) {
    return other instanceof PublicKey && this.algorithm === other.algorithm && this.raw.equals(other.raw);
  }
  /** Throws BadSignature unless the signature is by this key over this message. */
  verify(message, signature) {
    call('public_key_verify', this._pointer, dataIn(message), dataIn(signature));
  }
}

/** A private key. */
class PrivateKey extends Handle {
  static generate(algorithm = 'ed25519') {
    return new PrivateKey(SECRET, 'private_key', made('private_key_generate', number(algorithm)));
  }
  static read(pemOrDer) {
    return new PrivateKey(SECRET, 'private_key', made('private_key_read', textIn(pemOrDer), textIn()));
  }
  /** Reads a key that is encrypted. That takes long on purpose, and so is done on another thread. */
  static async decrypt(pemOrDer, passphrase) {
    const secrets = [copied(textIn(pemOrDer)), copied(textIn(passphrase))];
    try {
      return new PrivateKey(SECRET, 'private_key', await madeAsync([], 'private_key_read', ...secrets));
    } finally {
      for (const { ptr } of secrets) ptr?.fill(0);
    }
  }
  get publicKey() {
    return new PublicKey(SECRET, 'public_key', made('private_key_public', this._pointer));
  }
  toPem() {
    return written('private_key_to_pem', this._pointer).toString();
  }
  async toEncryptedPem(passphrase) {
    const secret = copied(textIn(passphrase));
    try {
      return (await writtenAsync([this], 'private_key_to_encrypted_pem', this._pointer, secret)).toString();
    } finally {
      secret.ptr?.fill(0);
    }
  }
  signer() {
    return new Signer(SECRET, 'signer', made('signer_from_key', this._pointer));
  }
}

// The asynchronous signer whose signature a call lacked.
let lacking;

/** What signs: a private key, or a function with the public key that belongs to it. */
class Signer extends Handle {
  static fromKey(privateKey) {
    handleIn(privateKey, PrivateKey);
    return privateKey.signer();
  }
  /** `sign(message)` returns the signature at once. */
  static fromCallback(publicKey, sign) {
    return Signer.#native(publicKey, (message) => sign(message));
  }
  /** `sign(message)` returns a promise of the signature. For the functions whose names end in Async. */
  static fromAsync(publicKey, sign) {
    const answers = new Map();
    return Signer.#native(publicKey, (message) => {
      const key = message.toString('latin1');
      if (answers.has(key)) return answers.get(key);
      lacking = { async get() { answers.set(key, Buffer.from(await sign(message))); }, forget: () => answers.delete(key) };
      throw new TypeError('this signer answers later: use the function whose name ends in Async');
    });
  }
  static #native(publicKey, sign) {
    const pointer = handleIn(publicKey, PublicKey);
    const answer = (_userdata, message, sink) => callback(() => lib.sink_append(sink, dataIn(sign(bytesOf(message)))));
    const native = koffi.register(answer, Sign);
    try {
      return new Signer(SECRET, 'signer', made('signer_from_callback', pointer, native, null), () => koffi.unregister(native));
    } catch (error) {
      koffi.unregister(native);
      throw error;
    }
  }
}

/** Signs by calls of `attempt`, each with one signature more of those that come later. */
async function withSignatures(attempt) {
  const used = [];
  try {
    for (;;) {
      lacking = undefined;
      try {
        return attempt();
      } catch (error) {
        if (!lacking) throw error;
      }
      const wanted = lacking;
      used.push(wanted);
      await wanted.get();
    }
  } finally {
    for (const answer of used) answer.forget();
  }
}

module.exports = { PrivateKey, PublicKey, Signer, withSignatures };
