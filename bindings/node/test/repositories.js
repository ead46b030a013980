'use strict';

// A trust repository in a folder, all of whose roles one key signs: no function of the library signs metadata.

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { canonicalJson, digest } = require('touchmark');

const FOLDER = '_touchmark';
const NAME = 'policy.json';
const sha256 = (data) => digest(data).split(':')[1];
const canonical = (document) => canonicalJson(JSON.stringify(document));

/** A trust repository below `folder`: its metadata in `metadata`, the files of its targets in `targets`. */
class Repository {
  #key;
  #keyid;
  #version = 0;
  constructor(folder) {
    this.metadata = path.join(folder, 'metadata');
    this.targets = path.join(folder, 'targets');
    fs.mkdirSync(this.metadata, { recursive: true });
    const { publicKey, privateKey } = crypto.generateKeyPairSync('ed25519');
    const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x, 'base64url');
    const key = { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: raw.toString('hex') } };
    this.#key = privateKey;
    this.#keyid = sha256(canonical(key));
    const role = { keyids: [this.#keyid], threshold: 1 };
    const roles = { root: role, targets: role, snapshot: role, timestamp: role };
    this.root = this.#signed('1.root.json', 1, { _type: 'root', consistent_snapshot: true, keys: { [this.#keyid]: key }, roles });
  }
  /** Lists manifests under names and, if there are rules, a policy of them. */
  publish(names, rules) {
    const files = { ...names };
    if (rules) {
      const policy = Buffer.from(JSON.stringify({ version: 1, rules }));
      files[`${FOLDER}/${NAME}`] = policy;
      fs.mkdirSync(path.join(this.targets, FOLDER), { recursive: true });
      fs.writeFileSync(path.join(this.targets, FOLDER, `${sha256(policy)}.${NAME}`), policy);
    }
    const targets = Object.fromEntries(Object.entries(files).map(([name, data]) => [name, { length: data.length, hashes: { sha256: sha256(data) } }]));
    const version = (this.#version += 1);
    this.#signed(`${version}.targets.json`, version, { _type: 'targets', targets });
    this.#signed(`${version}.snapshot.json`, version, { _type: 'snapshot', meta: { 'targets.json': { version } } });
    this.#signed('timestamp.json', version, { _type: 'timestamp', meta: { 'snapshot.json': { version } } });
  }
  #signed(name, version, document) {
    const signed = { ...document, version, spec_version: '1.0.34', expires: '2030-01-01T00:00:00Z' };
    const sig = crypto.sign(null, canonical(signed), this.#key).toString('hex');
    const data = Buffer.from(JSON.stringify({ signed, signatures: [{ keyid: this.#keyid, sig }] }));
    fs.writeFileSync(path.join(this.metadata, name), data);
    return data;
  }
}

module.exports = { Repository };
