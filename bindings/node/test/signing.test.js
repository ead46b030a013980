'use strict';

// Keys, signers, envelopes, and manifests that are verified by them; who owns what; and every class of errors.

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { describe, test } = require('node:test');
const { promisify } = require('node:util');
const touchmark = require('touchmark');
const native = require('../lib/native.js');
const { classOf } = require('../lib/errors.js');

const { Client, Envelope, Hasher, Policy, PolicyDocument, PrivateKey, PublicKey, Request, Search, Signer, signManifest } = touchmark;

const AT = 1795824000;
const MANIFEST = Buffer.from(
  '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.empty.v1+json",' +
    '"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}',
);

const thrown = (work) => {
  try {
    work();
  } catch (error) {
    return error;
  }
  assert.fail('nothing was thrown');
};

describe('digests, names, canonical JSON', () => {
  test('digests are those of node:crypto', () => {
    for (const algorithm of ['sha256', 'sha512']) {
      const hasher = new Hasher(algorithm);
      const other = crypto.createHash(algorithm);
      for (const piece of [Buffer.from('one'), new Uint8Array([1, 2]), new Uint16Array([3]), new DataView(new ArrayBuffer(4), 1, 2), Buffer.alloc(0)]) {
        hasher.update(piece);
        other.update(piece);
      }
      hasher.update(new ArrayBuffer(3));
      other.update(Buffer.alloc(3));
      const digest = `${algorithm}:${other.digest('hex')}`;
      assert.equal(hasher.digest(), digest);
      assert.equal(hasher.digest(), digest);
      assert.throws(() => hasher.update(Buffer.from('more')), touchmark.WrongState);
    }
    assert.throws(() => touchmark.digest(Buffer.alloc(0), 'md5'), TypeError);
    assert.throws(() => touchmark.digest(Buffer.alloc(0), 'toString'), TypeError);
  });

  test('what is no bytes is refused', () => {
    for (const nothing of [5, 'text', null, undefined, [1, 2], {}]) assert.throws(() => touchmark.digest(nothing), TypeError);
  });

  test('names and canonical JSON', () => {
    touchmark.checkName('acme/net-monitor:1.2.0');
    assert.equal(thrown(() => touchmark.checkName('acme/../x')).statusName, 'INVALID_NAME');
    assert.throws(() => touchmark.checkName('\ud800'), TypeError);
    assert.equal(touchmark.canonicalJson('{ "b": 1, "a": "\\u00e4" }').toString(), '{"a":"ä","b":1}');
  });
});

describe('keys', () => {
  test('a key is the same in every form', () => {
    for (const algorithm of ['ed25519', 'ecdsa-p256']) {
      const { publicKey } = PrivateKey.generate(algorithm);
      const der = crypto.createPublicKey(publicKey.toPem()).export({ type: 'spki', format: 'der' });
      for (const form of [PublicKey.read(publicKey.toPem()), PublicKey.read(der), PublicKey.fromRaw(algorithm, publicKey.raw)]) {
        assert.ok(form.equals(publicKey));
        assert.deepEqual([form.keyId, form.algorithm, form.toPem()], [publicKey.keyId, algorithm, publicKey.toPem()]);
      }
      assert.ok(!publicKey.equals(PrivateKey.generate(algorithm).publicKey));
    }
  });

  test('a passphrase opens a key', async () => {
    const privateKey = PrivateKey.generate();
    const sealed = await privateKey.toEncryptedPem('a passphrase');
    assert.ok((await PrivateKey.decrypt(sealed, 'a passphrase')).publicKey.equals(privateKey.publicKey));
    assert.ok(PrivateKey.read(privateKey.toPem()).publicKey.equals(privateKey.publicKey));
    await assert.rejects(PrivateKey.decrypt(sealed, 'another'), touchmark.WrongPassphrase);
  });
});

describe('envelopes and manifests', () => {
  const [alice, bob] = [PrivateKey.generate(), PrivateKey.generate('ecdsa-p256')];
  const keys = [alice.publicKey, bob.publicKey];

  test('a threshold is reached or not', () => {
    const one = Envelope.sign('text/plain', Buffer.from('hello'), [alice.signer()]);
    assert.throws(() => one.verify(keys, 2), touchmark.ThresholdNotReached);
    const both = Envelope.parse(one.addSignature(bob.signer()).toJson());
    const verified = both.verify(keys, 2);
    assert.equal(verified.payload.toString(), 'hello');
    assert.equal(verified.payloadType, 'text/plain');
    assert.deepEqual(verified.keyIds.sort(), keys.map((key) => key.keyId).sort());
    assert.deepEqual([both.payloadType, both.untrustedPayload.toString(), both.signatureKeyIds.length], ['text/plain', 'hello', 2]);
    for (const threshold of [0, 3]) assert.throws(() => one.verify(keys, threshold), touchmark.InvalidArgument);
    for (const threshold of [-1, 1.5, NaN, '1', true, 2 ** 60]) assert.throws(() => one.verify(keys, threshold), TypeError);
  });

  test('a manifest is verified', () => {
    const data = signManifest(MANIFEST, [alice.signer()], { name: 'acme/x:1', issued: AT, expires: AT + 10, annotations: { a: 'b' } }).toJson();
    const policy = Policy.fromKeys(keys, { name: 'acme/x:1', annotations: { a: 'b' } });
    const verified = policy.verifyManifest(MANIFEST, [data], new Date((AT + 9.9) * 1000));
    assert.deepEqual([verified.digest, verified.name, verified.size], [touchmark.digest(MANIFEST), 'acme/x:1', MANIFEST.length]);
    assert.deepEqual(verified.manifest, MANIFEST);
    assert.equal(verified.mediaType, 'application/vnd.oci.image.manifest.v1+json');
    assert.equal(typeof verified.report, 'object');
    for (const conditions of [{ name: 'acme/x:2' }, { annotations: { a: 'c' } }, { threshold: 2 }]) {
      assert.throws(() => Policy.fromKeys(keys, conditions).verifyManifest(MANIFEST, [data], AT), touchmark.NotVerified);
    }
    assert.throws(() => policy.verifyManifest(MANIFEST, [data], AT + 10), touchmark.NotVerified);
    assert.throws(() => policy.verifyManifest(MANIFEST, [], AT), touchmark.Unsigned);
    assert.equal(Policy.fromKeys(keys).verifyManifest(MANIFEST, [data], AT).name, undefined);
    for (const at of [undefined, null, '1', NaN, 1.5, new Date(NaN)]) assert.throws(() => policy.verifyManifest(MANIFEST, [data], at), TypeError);
    for (const at of [0, -1, 1e300, -1e300, new Date(-1)]) {
      assert.equal(thrown(() => policy.verifyManifest(MANIFEST, [data], at)).statusName, 'INVALID_TIME', String(at));
    }
  });

  test('a condition that is misspelt asks for nothing, and so is refused', () => {
    assert.throws(() => Policy.fromKeys(keys, { nmae: 'acme/x:1' }), TypeError);
    assert.throws(() => signManifest(MANIFEST, [alice.signer()], { issued: AT, expire: AT + 10 }), TypeError);
    assert.throws(() => PolicyDocument.read('{"version":1,"rules":[]}', { sign: true }), TypeError);
    assert.throws(() => new Request(Policy.fromKeys(keys), touchmark.digest(MANIFEST), AT, { depe: true }), TypeError);
  });

  test('a condition without a value asks for nothing, and so is refused', () => {
    for (const name of ['name', 'annotations', 'predicateTypes', 'supplyChain']) assert.throws(() => Policy.fromKeys(keys, { [name]: undefined }), TypeError);
    assert.throws(() => Policy.fromKeys(keys, { name: null }), touchmark.InvalidArgument);
    assert.throws(() => Policy.fromKeys(keys, { name: '' }), touchmark.InvalidArgument);
    for (const annotations of [new Map([['a', 'b']]), [['a', 'b']], 'a', 5, null, { a: null }, { a: 1 }]) {
      assert.throws(() => Policy.fromKeys(keys, { annotations }), TypeError);
      assert.throws(() => signManifest(MANIFEST, [alice.signer()], { issued: AT, annotations }), TypeError);
    }
    for (const acceptOnly of [2 ** 32 + 1, -1, '1']) assert.throws(() => Policy.fromKeys(keys, { acceptOnly }), TypeError);
  });

  test('conditions that an object inherits are not overlooked', () => {
    class Config {
      get name() {
        return 'acme/x:1';
      }
    }
    for (const conditions of [new Config(), Object.create({ name: 'acme/x:1' }), new Map([['name', 'acme/x:1']]), null, 'name']) {
      assert.throws(() => Policy.fromKeys(keys, conditions), TypeError);
    }
    Policy.fromKeys(keys, Object.assign(Object.create(null), { name: 'acme/x:1' }));
  });

  test('what closes a handle while it is asked is found', () => {
    const envelope = Envelope.sign('text/plain', Buffer.from('x'), [alice.signer()]);
    const policy = Policy.fromKeys(keys);
    const closing = function* (handle, each) {
      handle.close();
      yield each;
    };
    assert.throws(() => envelope.verify(closing(envelope, keys[0])), /closed/);
    assert.throws(() => policy.verifyManifest(MANIFEST, closing(policy, MANIFEST), AT), /closed/);
  });

  test('one layout is wanted, and not the last of several', () => {
    const supplyChain = { layout: Buffer.from('{}'), keys };
    Policy.fromKeys(keys, { supplyChain });
    assert.throws(() => Policy.fromKeys(keys, { supplyChain: [supplyChain] }), TypeError);
    assert.throws(() => Policy.fromKeys(keys, { supplyChains: [supplyChain, supplyChain] }), TypeError);
  });

  test('an expiry is never "never", nor an empty name none', () => {
    for (const expires of [0, -0, -1, new Date(0)]) {
      assert.equal(thrown(() => signManifest(MANIFEST, [alice.signer()], { issued: AT, expires })).statusName, 'INVALID_TIME');
    }
    for (const name of ['', null]) assert.equal(thrown(() => signManifest(MANIFEST, [alice.signer()], { issued: AT, name })).statusName, 'INVALID_NAME');
  });

  test('bytes that another thread may change are copied', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(3));
    assert.notEqual(native.dataIn(shared).ptr.buffer, shared.buffer);
    assert.equal(touchmark.digest(shared), touchmark.digest(Buffer.alloc(3)));
  });
});

describe('signers that are functions', () => {
  const pair = crypto.generateKeyPairSync('ed25519');
  const publicKey = PublicKey.read(pair.publicKey.export({ type: 'spki', format: 'pem' }));
  const sign = (message) => crypto.sign(null, message, pair.privateKey);

  test('at once', () => {
    assert.equal(Envelope.sign('text/plain', Buffer.from('x'), [Signer.fromCallback(publicKey, sign)]).verify([publicKey]).payload.toString(), 'x');
    signManifest(MANIFEST, [Signer.fromCallback(publicKey, (message) => new Uint8Array(sign(message)))], { issued: AT });
  });

  test('later, with others', async () => {
    const ec = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const other = PublicKey.read(ec.publicKey.export({ type: 'spki', format: 'pem' }));
    let calls = 0;
    const later = promisify(crypto.sign);
    const one = Signer.fromAsync(publicKey, (message) => (calls++, later(null, message, pair.privateKey)));
    const two = Signer.fromAsync(other, (message) => (calls++, later('sha256', message, ec.privateKey)));
    const local = PrivateKey.generate();
    const envelope = await Envelope.signAsync('text/plain', Buffer.from('x'), [one, local.signer(), two]);
    envelope.verify([publicKey, other, local.publicKey], 3);
    assert.equal(calls, 2);
    (await touchmark.signManifestAsync(MANIFEST, [one], { issued: AT })).verify([publicKey]);
    (await Envelope.sign('text/plain', Buffer.from('x'), [local.signer()]).addSignatureAsync(one)).verify([publicKey, local.publicKey], 2);
    assert.throws(() => Envelope.sign('text/plain', Buffer.from('x'), [one]), TypeError);
    const both = await Promise.all([1, 2, 3, 4].map((number) => Envelope.signAsync('text/plain', Buffer.from(`${number}`), [one, two])));
    both.forEach((each, index) => assert.equal(each.verify([publicKey, other], 2).payload.toString(), `${index + 1}`));
  });

  test('what they throw is thrown', async () => {
    const mine = new Error('mine');
    const fails = () => {
      throw mine;
    };
    const attempt = (signer) => () => Envelope.sign('text/plain', Buffer.from('x'), [signer]);
    assert.equal(thrown(attempt(Signer.fromCallback(publicKey, fails))), mine);
    assert.throws(attempt(Signer.fromCallback(publicKey, () => 'text')), TypeError);
    assert.throws(attempt(Signer.fromCallback(publicKey, async () => sign)), TypeError);
    await assert.rejects(Envelope.signAsync('text/plain', Buffer.from('x'), [Signer.fromAsync(publicKey, async () => fails())]), mine);
    attempt(Signer.fromCallback(publicKey, sign))();
    for (const [length, Kind] of [[0, touchmark.BadSignature], [64, touchmark.BadSignature], [100000, touchmark.CallbackFailed]]) {
      assert.throws(attempt(Signer.fromCallback(publicKey, () => Buffer.alloc(length))), Kind);
    }
  });

  test('one that is closed while it signs is kept until it has signed', () => {
    const held = [];
    const signer = Signer.fromCallback(publicKey, (message) => {
      for (const handle of [signer, own, ...held]) handle.close();
      const free = native.koffi.stats().callbacks;
      assert.equal(free, callbacks, 'the function is not given back yet');
      return sign(message);
    });
    const own = PrivateKey.generate().signer();
    const callbacks = native.koffi.stats().callbacks;
    const first = Envelope.sign('text/plain', Buffer.from('x'), [PrivateKey.generate().signer()]);
    held.push(first);
    assert.equal(first.addSignature(signer).signatureKeyIds.length, 2);
    assert.equal(native.koffi.stats().callbacks, callbacks - 1);
    assert.throws(() => first.toJson(), /closed/);
  });

  test('they use the library', () => {
    const signer = Signer.fromCallback(publicKey, (message) => {
      assert.throws(() => touchmark.checkName(''), touchmark.InvalidArgument);
      return sign(message);
    });
    Envelope.sign('text/plain', Buffer.from('x'), [signer]);
  });
});

describe('handles', () => {
  test('what is closed is of no use', () => {
    const key = PrivateKey.generate();
    const { publicKey } = key;
    key.close();
    key.close();
    assert.throws(() => key.toPem(), /PrivateKey is closed/);
    publicKey.toPem(); // borrows nothing
    const other = PrivateKey.generate();
    other[Symbol.dispose]();
    assert.throws(() => other.toPem(), TypeError);
  });

  test('a handle of another kind is refused, and none is forged', () => {
    const envelope = Envelope.sign('text/plain', Buffer.alloc(0), [PrivateKey.generate().signer()]);
    for (const nothing of [PrivateKey.generate(), 'key', null, 5, Object.create(PublicKey.prototype)]) {
      assert.throws(() => envelope.verify([nothing]), TypeError);
    }
    assert.throws(() => new touchmark.VerifiedArtifact(), TypeError);
    assert.throws(() => new PublicKey(Symbol('made by this package alone'), 'public_key', 1n), TypeError);
  });

  test('a call that runs keeps what is closed', async () => {
    const sealed = await PrivateKey.generate().toEncryptedPem('a passphrase');
    const key = await PrivateKey.decrypt(sealed, 'a passphrase');
    const again = key.toEncryptedPem('another');
    key.close();
    await PrivateKey.decrypt(await again, 'another');
  });
});

describe('errors', () => {
  test('every status has its class', () => {
    const hundreds = [, 'InvalidArgument', 'Malformed', 'NotVerified', 'UntrustedMetadata', 'Refused', 'CallbackFailed', 'Unknown', , 'InternalError'];
    let known = 0;
    for (let status = 1; status < 1000; status += 1) {
      const Kind = classOf(status);
      const Hundred = touchmark[hundreds[Math.floor(status / 100)]] ?? touchmark.TouchmarkError;
      assert.ok(Kind === Hundred || Kind.prototype instanceof Hundred, String(status));
      const name = native.textOf(native.lib.status_name(status));
      if (!name) {
        assert.equal(Kind, Hundred);
        continue;
      }
      known += 1;
      const own = name.split('_').map((word) => word[0] + word.slice(1).toLowerCase()).join('');
      if (touchmark[own]) assert.equal(Kind, touchmark[own], name);
    }
    assert.ok(known > 30);
  });

  test('an error tells everything', () => {
    const error = thrown(() => Policy.fromKeys([PrivateKey.generate().publicKey]).verifyManifest(MANIFEST, [], AT));
    assert.ok(error instanceof touchmark.Unsigned && error instanceof touchmark.NotVerified && error instanceof Error);
    assert.deepEqual([error.name, error.status, error.statusName], ['Unsigned', 301, 'UNSIGNED']);
    assert.deepEqual([error.json.status, error.json.code, error.json.message], [301, error.code, error.message]);
    assert.equal(typeof error.retryable, 'boolean');
    assert.ok(error.code && error.message);
  });

  test('arguments', async () => {
    const policy = Policy.fromKeys([PrivateKey.generate().publicKey]);
    const digest = touchmark.digest(Buffer.alloc(0));
    const wrong = {
      INVALID_NAME: () => Policy.fromKeys([PrivateKey.generate().publicKey], { name: '../x' }),
      INVALID_DIGEST: () => new Request(policy, 'sha256:x', AT),
      INVALID_TIME: () => new Request(policy, digest, 0),
      INVALID_THRESHOLD: () => Policy.fromKeys([], { threshold: 1 }),
      INVALID_UTF8: () => touchmark.checkName(Buffer.from([0xff, 0xfe])),
      WRONG_STATE: () => new Search(new Request(policy, digest, AT)).finish(),
      MALFORMED_KEY: () => PublicKey.read('no key'),
      MALFORMED_JSON: () => touchmark.canonicalJson('{'),
      MALFORMED_ENVELOPE: () => Envelope.parse('{}'),
      MALFORMED_POLICY: () => PolicyDocument.read('{}'),
      POLICY_REJECTED: () => PolicyDocument.read('{"version":1,"rules":[]}').decide({ name: 'acme/x' }),
    };
    for (const [name, work] of Object.entries(wrong)) assert.equal(thrown(work).statusName, name);
  });
});
