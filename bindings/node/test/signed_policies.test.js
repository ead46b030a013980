'use strict';

// The policy that a trust repository signs itself, which a trust root asks beside the metadata.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, beforeEach, describe, test } = require('node:test');
const touchmark = require('touchmark');
const native = require('../lib/native.js');
const { Repository } = require('./repositories.js');

const { Policy, Source, TrustRoot } = touchmark;

const VECTORS = process.env.TOUCHMARK_VECTORS || path.join(__dirname, '../../../testdata/vectors');
const LAYOUT = `oci:${path.join(VECTORS, 'layouts/signed')}`;
const AT = 1795824000;
const ACCEPTS = [{ names: 'acme/**', trust: 'self' }];
const REJECTS = [{ names: 'acme/x:1', reject: true }, ...ACCEPTS];

describe('the policy that a trust repository signs', () => {
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'touchmark-'));
  after(() => fs.rmSync(work, { recursive: true }));
  let number = 0;
  let folder;
  let repository;
  let source;
  let index;
  let names;
  before(async () => {
    source = await Source.open(`${LAYOUT}:v1`);
    index = await Source.open(`${LAYOUT}:multi`);
    names = { 'acme/x:1': await source.manifest(), 'acme/multi:1': await index.manifest() };
  });
  beforeEach(() => {
    folder = path.join(work, `${(number += 1)}`);
    repository = new Repository(folder);
  });
  /** Does something with a trust root, and frees its store. */
  const opened = async (use) => {
    const trust = await TrustRoot.open(repository.root, repository.metadata, path.join(folder, 'store'), AT);
    try {
      return await use(trust);
    } finally {
      trust.close();
    }
  };
  const refused = (Kind, code) => (error) => error instanceof Kind && (code === undefined || error.code === code);

  test('it must accept, too', async () => {
    const cases = [
      [undefined, undefined],
      ['policy-rejects', REJECTS],
      ['no-rule', [{ names: 'other/**', trust: 'self' }]],
      [undefined, ACCEPTS],
      ['policy-rejects', REJECTS],
    ];
    const digest = await source.digest();
    for (const [code, rules] of cases) {
      repository.publish(names, rules);
      await opened(async (trust) => {
        const byMetadata = Policy.fromStanding(await trust.standing('acme/x:1'), { name: 'acme/x:1' });
        assert.equal((await source.verify(byMetadata, AT)).digest, digest);
        const verifying = trust.verify(source, 'acme/x:1', AT);
        if (code) {
          await assert.rejects(verifying, (error) => refused(touchmark.PolicyRejected, code)(error) && 'signed_policy' in error.report);
          return;
        }
        const verified = await verifying;
        assert.deepEqual([verified.digest, verified.name, verified.manifest], [digest, 'acme/x:1', names['acme/x:1']]);
        assert.equal('signed_policy' in verified.report, rules !== undefined);
      });
    }
  });

  test('the metadata must accept as before', async () => {
    repository.publish({ 'acme/x:1': names['acme/multi:1'] }, ACCEPTS);
    await opened((trust) => assert.rejects(trust.verify(source, 'acme/x:1', AT), touchmark.NotVerified));
  });

  test('an image of an index', async () => {
    repository.publish(names, ACCEPTS);
    await opened(async (trust) => {
      assert.equal((await trust.verify(index, 'acme/multi:*', AT)).name, 'acme/multi:1');
      await assert.rejects(trust.verify(index, 'acme/multi:1', AT, { platform: 'linux/arm64' }), touchmark.PolicyRejected);
    });
    repository.publish(names, [{ ...ACCEPTS[0], children: 'allow' }]);
    await opened(async (trust) => {
      const verified = await trust.verify(index, 'acme/multi:1', AT, { platform: 'linux/arm64' });
      assert.equal(verified.digest, await (await Source.open(`${LAYOUT}:unsigned`)).digest());
    });
  });

  test('one that is withheld is not known', async () => {
    repository.publish(names, ACCEPTS);
    fs.rmSync(repository.targets, { recursive: true });
    await opened((trust) => assert.rejects(trust.verify(source, 'acme/x:1', AT), touchmark.Unknown));
  });

  test('what is no question is refused', async () => {
    repository.publish(names);
    await opened(async (trust) => {
      for (const name of ['', undefined, '../x']) await assert.rejects(trust.verify(source, name, AT), touchmark.InvalidArgument);
      await assert.rejects(trust.verify(source, 'acme/x:1', 0), touchmark.InvalidArgument);
      await assert.rejects(trust.verify(source, 'acme/x:1', AT, { platform: 'linux' }), touchmark.InvalidArgument);
      for (const options of [{ platform: '' }, { platform: undefined }, { platform: new Uint8Array(0) }, { plattform: 'linux/amd64' }, new Map()]) {
        await assert.rejects(trust.verify(source, 'acme/x:1', AT, options), TypeError);
      }
      await assert.rejects(trust.verify(trust, 'acme/x:1', AT), TypeError);
    });
  });

  test('calls at once wait for one another', async () => {
    repository.publish(names, REJECTS);
    await opened(async (trust) => {
      const asked = [trust.verify(index, 'acme/multi:1', AT), trust.standing('acme/x:1'), trust.verify(source, 'acme/x:1', AT), trust.verify(index, 'acme/multi:1', AT)];
      const [first, standing, second, third] = await Promise.allSettled(asked);
      assert.deepEqual([first.value.name, third.value.name], ['acme/multi:1', 'acme/multi:1']);
      assert.ok(standing.value.expires > AT);
      assert.ok(second.reason instanceof touchmark.PolicyRejected);
    });
  });

  test('what is closed while it verifies is kept until it has verified', async () => {
    repository.publish(names, ACCEPTS);
    const freed = [];
    const before = {};
    for (const kind of ['trust_root', 'source']) {
      const free = native.lib[`${kind}_free`];
      before[kind] = free;
      native.lib[`${kind}_free`] = (pointer) => {
        freed.push(kind);
        free(pointer);
      };
    }
    try {
      const trust = await TrustRoot.open(repository.root, repository.metadata, path.join(folder, 'store'), AT);
      const own = await Source.open(`${LAYOUT}:v1`);
      const verifying = trust.verify(own, 'acme/x:1', AT);
      await Promise.resolve(); // the call has begun
      trust.close();
      own.close();
      assert.deepEqual(freed, []);
      assert.equal((await verifying).name, 'acme/x:1');
      assert.deepEqual(freed.sort(), ['source', 'trust_root']);
      for (const asked of [trust.verify(source, 'acme/x:1', AT), trust.standing('acme/x:1')]) await assert.rejects(asked, /is closed/);
    } finally {
      for (const [kind, free] of Object.entries(before)) native.lib[`${kind}_free`] = free;
    }
    // The store is free.
    assert.equal((await opened((another) => another.verify(source, 'acme/x:1', AT))).name, 'acme/x:1');
  });
});
