'use strict';

// Alone in its process: every handle that is made is given back.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const touchmark = require('touchmark');
const native = require('../lib/native.js');

const { Client, Envelope, Policy, PrivateKey, Request, Search, Signer, signManifest } = touchmark;

const AT = 1795824000;
const MANIFEST = Buffer.from(
  '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.empty.v1+json",' +
    '"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}',
);

test('everything is given back, by closing and by the collector', async () => {
  assert.ok(globalThis.gc, 'needs node --expose-gc');
  const rounds = 100;
  const freed = {};
  const kinds = ['private_key', 'public_key', 'signer', 'envelope', 'verified_envelope', 'policy', 'verified_artifact', 'request', 'search', 'tuf_client'];
  const before = {};
  for (const kind of [...kinds, 'policy_builder', 'error']) {
    const free = native.lib[`${kind}_free`];
    before[kind] = free;
    native.lib[`${kind}_free`] = (pointer) => {
      freed[kind] = (freed[kind] ?? 0) + 1;
      free(pointer);
    };
  }
  const use = (keep) => {
    const key = PrivateKey.generate();
    const publicKey = key.publicKey;
    const signer = Signer.fromCallback(publicKey, () => Buffer.alloc(64));
    assert.throws(() => Envelope.sign('text/plain', Buffer.alloc(0), [signer]), touchmark.TouchmarkError);
    signer.close();
    const own = key.signer();
    const envelope = signManifest(MANIFEST, [own], { issued: AT });
    const policy = Policy.fromKeys([publicKey]);
    const request = new Request(policy, touchmark.digest(MANIFEST), AT);
    keep(key, publicKey, own, envelope, envelope.verify([publicKey]), policy, policy.verifyManifest(MANIFEST, [envelope.toJson()], AT));
    keep(request, new Search(request), new Client(AT));
  };
  try {
    for (let round = 0; round < rounds; round += 1) use((...handles) => handles.forEach((handle) => handle.close()));
    for (const kind of kinds) assert.equal(freed[kind], kind === 'signer' ? 2 * rounds : rounds, kind);
    for (let round = 0; round < rounds; round += 1) use(() => undefined);
    for (let turn = 0; turn < 50 && kinds.some((kind) => freed[kind] < 2 * rounds); turn += 1) {
      globalThis.gc();
      await new Promise(setImmediate);
    }
    for (const kind of kinds) assert.equal(freed[kind], kind === 'signer' ? 4 * rounds : 2 * rounds, kind);
    assert.equal(freed.policy_builder, 2 * rounds);
    assert.equal(freed.error, 2 * rounds);
    assert.equal(native.koffi.stats().callbacks, 0);
  } finally {
    for (const [kind, free] of Object.entries(before)) native.lib[`${kind}_free`] = free;
  }
});

test('what runs on other threads is given back, too', async () => {
  const vectors = process.env.TOUCHMARK_VECTORS || path.join(__dirname, '../../../testdata/vectors');
  const { cases } = JSON.parse(fs.readFileSync(path.join(vectors, 'index.json'), 'utf8'));
  const signed = cases.find(({ id }) => id === 'layout-oci-signed');
  const policy = Policy.fromKeys([touchmark.PublicKey.read(fs.readFileSync(path.join(vectors, signed.keys[0].file)))]);
  const stranger = Policy.fromKeys([PrivateKey.generate().publicKey]);
  const freed = {};
  for (const kind of ['source', 'verified_artifact', 'error', 'buffer']) {
    const free = native.lib[`${kind}_free`];
    native.lib[`${kind}_free`] = (pointer) => {
      freed[kind] = (freed[kind] ?? 0) + 1;
      free(pointer);
    };
  }
  for (let round = 0; round < 5; round += 1) {
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        const source = await touchmark.Source.open(`oci:${path.join(vectors, signed.reference.split(':').slice(1).join(':'))}`);
        const results = await Promise.allSettled([source.verify(policy, signed.at), source.verify(stranger, signed.at), source.digest()]);
        assert.deepEqual(results.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled']);
        results[0].value.close();
        source.close();
      }),
    );
  }
  assert.deepEqual(freed, { source: 50, verified_artifact: 50, error: 50, buffer: 50 });
});
