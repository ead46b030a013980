'use strict';

// Canonical JSON, digests and names.

const { Handle, SECRET, call, dataIn, made, textIn, written } = require('./native.js');

const algorithms = { sha256: 1, sha512: 2 };

function number(algorithm) {
  if (!Object.hasOwn(algorithms, algorithm)) throw new TypeError(`${algorithm} is no algorithm; sha256 and sha512 are`);
  return algorithms[algorithm];
}

/** The canonical form of a JSON document. */
function canonicalJson(document) {
  return written('canonical_json', textIn(document));
}

/** The digest of some bytes, as `sha256:...`. */
function digest(data, algorithm = 'sha256') {
  return written('digest', number(algorithm), dataIn(data)).toString();
}

/** Throws unless `name` is a NAME or NAME:VERSION. */
function checkName(name) {
  call('name_check', textIn(name));
}

/** A digest of bytes that come in pieces. After the digest was asked for, nothing can be added. */
class Hasher extends Handle {
  #digest;
  constructor(algorithm = 'sha256') {
    super(SECRET, 'hasher', made('hasher_new', number(algorithm)));
  }
  update(data) {
    call('hasher_update', this._pointer, dataIn(data));
    return this;
  }
  digest() {
    this.#digest ??= written('hasher_finish', this._pointer).toString();
    return this.#digest;
  }
}

module.exports = { Hasher, canonicalJson, checkName, digest };
