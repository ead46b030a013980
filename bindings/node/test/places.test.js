'use strict';

// With files and functions that fetch: OCI layouts, policy files, trust roots, TUF, in-toto, the search.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, describe, test } = require('node:test');
const touchmark = require('touchmark');

const { Accept, Client, Failure, FetchFailed, Policy, PolicyFile, PrivateKey, PublicKey, Request, Search, Source, SupplyChain, TrustRoot } = touchmark;

const VECTORS = process.env.TOUCHMARK_VECTORS || path.join(__dirname, '../../../testdata/vectors');
const read = (...parts) => fs.readFileSync(path.join(VECTORS, ...parts));
const CASES = Object.fromEntries(JSON.parse(read('index.json')).cases.map((each) => [each.id, each]));
const [HONEST, ENTRY, SIGNED, CHAIN] = ['tuf-honest', 'standing-entry', 'layout-oci-signed', 'supply-chain-golang-dsse'].map((name) => CASES[name]);
const { name: NAME, at: AT } = ENTRY;
const ROOT = read(ENTRY.root.file);
const IMAGE = read(ENTRY.manifest.file);
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'touchmark-'));
after(() => fs.rmSync(work, { recursive: true }));

/** Gives the files of a folder of the vectors, later. */
const fetchFrom = (folder) => async (name) => {
  await new Promise(setImmediate);
  return fs.promises.readFile(path.join(VECTORS, folder, name)).catch((error) => (error.code === 'ENOENT' ? null : Promise.reject(error)));
};
const unreachable = async () => {
  throw new FetchFailed(Failure.UNAVAILABLE, 'nobody answers');
};

describe('OCI layouts', () => {
  const folder = path.join(work, 'layout');
  const [, layout, tag] = SIGNED.reference.split(':');
  fs.cpSync(path.join(VECTORS, layout), folder, { recursive: true });
  const reference = `oci:${folder}:${tag}`;
  const key = read(SIGNED.keys[0].file);
  const policy = Policy.fromKeys([PublicKey.read(key)]);

  test('an image is verified', async () => {
    const source = await Source.open(reference);
    const verified = await source.verify(policy, AT);
    assert.equal(verified.digest, await source.digest());
    assert.equal(touchmark.digest(await source.manifest()), verified.digest);
    assert.equal((await source.verifyRequest(new Request(policy, verified.digest, AT))).digest, verified.digest);
    const many = await Promise.all(Array.from({ length: 32 }, () => source.verify(policy, AT)));
    assert.ok(many.every(({ digest }) => digest === verified.digest));
  });

  test('a signature is attached', async () => {
    const source = await Source.open(reference);
    const other = PrivateKey.generate();
    const own = Policy.fromKeys([other.publicKey], { name: NAME });
    await assert.rejects(source.verify(own, AT), touchmark.NotVerified);
    await source.attach([touchmark.signManifest(await source.manifest(), [other.signer()], { name: NAME, issued: AT })]);
    assert.equal((await (await Source.open(reference)).verify(own, AT)).name, NAME);
  });

  test('what is closed while a call runs is kept until it ends', async () => {
    const source = await Source.open(reference);
    const own = Policy.fromKeys([PublicKey.read(key)]);
    const verifying = source.verify(own, AT);
    source.close();
    own.close();
    await verifying;
    await assert.rejects(source.digest(), TypeError);
  });

  test('what is not there', async () => {
    await assert.rejects(Source.open(''), touchmark.InvalidArgument);
    await assert.rejects(Source.open('https://example.com'), touchmark.InvalidArgument);
    await assert.rejects(async () => (await Source.open(`oci:${work}/nothing:v1`)).verify(policy, AT), touchmark.Unknown);
    await assert.rejects(PolicyFile.open(path.join(work, 'none.json')), touchmark.TouchmarkError);
  });

  test('a policy file decides', async () => {
    const file = path.join(work, 'policy.json');
    fs.writeFileSync(path.join(work, 'key.pub'), key);
    const verified = async (policy) => {
      fs.writeFileSync(file, JSON.stringify(policy));
      return (await PolicyFile.open(file)).verify(await Source.open(reference), AT);
    };
    assert.equal((await verified({ version: 1, rules: [{ reference, keys: ['key.pub'] }] })).digest, SIGNED.expect.digest);
    await assert.rejects(verified({ version: 1, rules: [{ reference, reject: true }] }), touchmark.PolicyRejected);
    await assert.rejects(verified({}), touchmark.Malformed);
  });

  test('a policy file is asked by name and platform', async () => {
    const file = path.join(work, 'by-name.json');
    fs.writeFileSync(path.join(work, 'key.pub'), key);
    const opened = (more) => {
      fs.writeFileSync(file, JSON.stringify({ version: 1, rules: [{ names: 'acme/**', keys: 'key.pub', ...more }] }));
      return PolicyFile.open(file);
    };
    const [source, index] = [await Source.open(reference), await Source.open(`oci:${folder}:multi`)];
    let asked = await opened();
    for (const name of ['acme/x:1', 'acme/x:*']) assert.equal((await asked.verify(source, AT, { name })).name, 'acme/x:1');
    for (const options of [{}, { name: 'other/x:1' }]) await assert.rejects(asked.verify(source, AT, options), touchmark.PolicyRejected);
    await assert.rejects(asked.verify(source, AT, { name: 'acme/x:2' }), touchmark.NotVerified);
    const name = 'acme/multi:1';
    await assert.rejects(asked.verify(index, AT, { name, platform: 'linux/arm64' }), touchmark.PolicyRejected);
    asked = await opened({ children: 'allow' });
    assert.equal((await asked.verify(index, AT, { name })).digest, await index.digest());
    for (const [platform, tag] of [['linux/amd64', 'v1'], ['linux/arm64', 'unsigned']]) {
      const digest = await (await Source.open(`oci:${folder}:${tag}`)).digest();
      assert.equal((await asked.verify(index, AT, { name, platform })).digest, digest);
    }
    for (const options of [{ name: '../x' }, { name, platform: 'linux' }]) await assert.rejects(asked.verify(index, AT, options), touchmark.InvalidArgument);
    await assert.rejects(asked.verify(index, AT, { name, platform: 'linux/s390x' }), touchmark.TouchmarkError);
    for (const options of [{ name: '' }, { name: undefined }, { name: Buffer.alloc(0) }, { name, platform: '' }, { name, platform: null }, { nmae: name }, null]) {
      await assert.rejects(asked.verify(index, AT, options), TypeError);
    }
  });
});

describe('trust roots', () => {
  const policyOf = (standing) => Policy.fromStanding(standing, { acceptOnly: Accept.ENTRY });

  test('metadata in a folder', async () => {
    const trust = await TrustRoot.open(ROOT, path.join(VECTORS, ENTRY.repository), path.join(work, 'store'), AT);
    // Calls at once wait for one another.
    const [standing, notes] = await Promise.all([trust.standing(NAME), trust.notes(), assert.rejects(trust.target('nobody/lists:this'), touchmark.NotFound)]);
    assert.ok(standing.expires > AT);
    assert.ok(notes);
    assert.equal(policyOf(standing).verifyManifest(IMAGE, [], AT).report.accepted_by, 'entry');
    await assert.rejects(TrustRoot.open(ROOT, '', path.join(work, 'store'), AT), touchmark.InvalidArgument);
  });

  test('metadata by a function that answers later', async () => {
    const store = new Map([['root.json', ROOT]]);
    const client = new Client(AT);
    await client.drive(fetchFrom(ENTRY.repository), store);
    client.lookUp(NAME);
    await client.drive(fetchFrom(ENTRY.repository), store);
    const policy = policyOf(client.standing(NAME));
    assert.equal(policy.verifyManifest(IMAGE, [], AT).report.accepted_by, 'entry');
    assert.throws(() => policy.verifyManifest(Buffer.concat([IMAGE, Buffer.from(' ')]), [], AT), touchmark.NotVerified);
  });
});

describe('The Update Framework', () => {
  test('an update and a target', async () => {
    const store = new Map([['root.json', read(HONEST.root.file)]]);
    const client = new Client(AT);
    await client.drive(fetchFrom(HONEST.updates[0].repository), store);
    assert.ok(client.state.timestamp.version >= 1);
    client.lookUp('file');
    await client.drive(fetchFrom(HONEST.updates[0].repository), store);
    const target = client.found();
    assert.deepEqual([target.length, target.role], ['content'.length, 'targets']);
    target.check(Buffer.from('content'));
    assert.throws(() => target.check(Buffer.from('another')), touchmark.NotVerified);
    await new Client(AT, { offline: true }).drive(() => assert.fail('nothing is fetched'), store);
  });

  test('refusals', async () => {
    const store = () => new Map([['root.json', read(HONEST.root.file)]]);
    await assert.rejects(new Client(AT + 20 * 366 * 86400).drive(fetchFrom(HONEST.updates[0].repository), store()), touchmark.ExpiredMetadata);
    const lies = (name) => (name === 'timestamp.json' ? Buffer.from('{}') : fetchFrom(HONEST.updates[0].repository)(name));
    await assert.rejects(new Client(AT).drive(lies, store()), touchmark.UntrustedMetadata);
    await assert.rejects(new Client(AT).drive(unreachable, store()), touchmark.Unknown);
    // As Node's own fetch fails.
    const refused = async () => {
      throw new TypeError('fetch failed', { cause: new Error('connection refused') });
    };
    await assert.rejects(new Client(AT).drive(refused, store()), touchmark.Unknown);
    const wrong = () => undefined.length;
    await assert.rejects(new Client(AT).drive(wrong, store()), TypeError);
  });
});

describe('in-toto', () => {
  const layout = read(CHAIN.layout.file);
  const keys = [PublicKey.read(read(CHAIN.keys[0].file))];
  const names = async (folder) => fs.promises.readdir(path.join(VECTORS, CHAIN.links, folder));

  test('by steps and in a folder', async () => {
    const bySteps = await new SupplyChain(layout, keys, AT).run({ file: fetchFrom(CHAIN.links), names });
    const inFolder = await touchmark.verifySupplyChain(layout, keys, path.join(VECTORS, CHAIN.links), AT);
    assert.deepEqual(bySteps.report, inFolder.report);
  });

  test('a refusal has every reason; and what could not be had is not known', async () => {
    const nothing = { file: () => null, names: () => [] };
    await assert.rejects(new SupplyChain(layout, keys, AT).run(nothing), (error) => error instanceof touchmark.SupplyChainNotVerified && error.report !== undefined);
    await assert.rejects(new SupplyChain(layout, keys, AT).run({ file: unreachable, names: unreachable }), touchmark.Unknown);
    for (const options of [undefined, {}, { complete: undefined }, { complete: 1 }]) {
      assert.throws(() => new SupplyChain(layout, keys, AT).provideNames([], options), TypeError);
    }
    await assert.rejects(touchmark.verifySupplyChain(layout, [PrivateKey.generate().publicKey], VECTORS, AT), touchmark.UntrustedMetadata);
  });
});

describe('the search', () => {
  const key = PrivateKey.generate();
  const policy = Policy.fromKeys([key.publicKey]);
  const digest = touchmark.digest(IMAGE);
  const store = (referrers) => ({ manifest: async () => IMAGE, blob: async () => null, referrers });
  const none = async () => ({ index: Buffer.from('{"schemaVersion":2,"manifests":[]}'), complete: true });

  test('outcomes', async () => {
    const envelopes = [touchmark.signManifest(IMAGE, [key.signer()], { issued: AT }).toJson()];
    assert.equal((await new Search(new Request(policy, digest, AT, { envelopes })).run(store(none))).digest, digest);
    await assert.rejects(new Search(new Request(policy, digest, AT)).run(store(none)), touchmark.Unsigned);
    await assert.rejects(new Search(new Request(policy, digest, AT)).run(store(unreachable)), touchmark.Unknown);
    await assert.rejects(new Search(new Request(policy, digest, AT)).run(store(() => null.x)), TypeError);
    await assert.rejects(new Search(new Request(policy, digest, AT, { envelopes: [] })).run(store(() => assert.fail('nothing is asked for'))), touchmark.Unsigned);
    const search = new Search(new Request(policy, digest, AT));
    assert.deepEqual(search.next(), search.next());
    assert.throws(() => search.finish(), touchmark.WrongState);
  });
});

describe('answers', () => {
  const digest = touchmark.digest(IMAGE);
  const policy = Policy.fromKeys([PrivateKey.generate().publicKey]);
  const store = () => new Map([['root.json', read(HONEST.root.file)]]);
  const swallows = async () => {
    await unreachable().catch(() => undefined);
  };

  test('an error that was swallowed is not "there is none"', async () => {
    await assert.rejects(new Client(AT).drive(swallows, store()), /undefined is no answer/);
    const layout = read(CHAIN.layout.file);
    const keys = [PublicKey.read(read(CHAIN.keys[0].file))];
    await assert.rejects(new SupplyChain(layout, keys, AT).run({ file: swallows, names: swallows }), /undefined is no answer/);
    const manifest = async () => IMAGE;
    for (const each of [{ manifest: swallows }, { manifest, referrers: swallows }]) {
      await assert.rejects(new Search(new Request(policy, digest, AT)).run(each), /undefined is no answer/);
    }
  });

  test('what is no bytes ends the call', async () => {
    for (const answer of ['text', 5, {}, [], new Response('text')]) {
      await assert.rejects(new Client(AT).drive(async () => answer, store()), TypeError);
    }
  });

  test('a failure says no more than it can', async () => {
    const torn = async () => {
      throw new Error('half of a pair: \ud800');
    };
    await assert.rejects(new Client(AT).drive(torn, store()), touchmark.Unknown);
    const client = new Client(AT);
    client.next();
    for (const failure of [2 ** 32 + Failure.NOT_FOUND, -1, undefined]) assert.throws(() => client.provideFailure(failure), TypeError);
  });

  test('one driver at a time', async () => {
    const client = new Client(AT);
    const driving = client.drive(fetchFrom(HONEST.updates[0].repository), store());
    await assert.rejects(client.drive(fetchFrom(HONEST.updates[0].repository), store()), touchmark.WrongState);
    await driving;
    const search = new Search(new Request(policy, digest, AT));
    const place = { manifest: async () => IMAGE, blob: async () => null, referrers: unreachable };
    const searching = search.run(place);
    await assert.rejects(search.run(place), touchmark.WrongState);
    await assert.rejects(searching, touchmark.Unknown);
  });

  // How each is made and driven, where it asks first, and all that may be done with it.
  const index = Buffer.from('{"schemaVersion":2,"manifests":[]}');
  const kinds = [
    {
      make: () => new Client(AT),
      drive: (client, ask) => client.drive(async (name) => (await ask(), fetchFrom(HONEST.updates[0].repository)(name)), store()),
      all: {
        drive: (client) => client.drive(() => null, store()),
        next: (client) => client.next(),
        provideBytes: (client) => client.provideBytes(Buffer.from('{}')),
        provideAbsent: (client) => client.provideAbsent(),
        provideDone: (client) => client.provideDone(),
        provideFailure: (client) => client.provideFailure(Failure.UNAVAILABLE),
        lookUp: (client) => client.lookUp('file'),
        found: (client) => client.found(),
        standing: (client) => client.standing('acme/x'),
        state: (client) => client.state,
      },
    },
    {
      make: () => new Search(new Request(policy, digest, AT)),
      drive: async (search, ask) => {
        const place = { manifest: async () => (await ask(), IMAGE), blob: () => null, referrers: () => ({ index, complete: true }) };
        await search.run(place).then(
          () => assert.fail('nobody signed it'),
          (error) => error instanceof touchmark.Unsigned || Promise.reject(error),
        );
      },
      all: {
        run: (search) => search.run({}),
        next: (search) => search.next(),
        provideBytes: (search) => search.provideBytes(Buffer.from('{}')),
        provideHash: (search) => search.provideHash('sha256:0', 0),
        provideReferrers: (search) => search.provideReferrers(index, { complete: true }),
        provideFailure: (search) => search.provideFailure(Failure.UNAVAILABLE),
        finish: (search) => search.finish(),
      },
    },
    {
      make: () => new SupplyChain(read(CHAIN.layout.file), [PublicKey.read(read(CHAIN.keys[0].file))], AT),
      drive: (chain, ask) => chain.run({ file: async (name) => (await ask(), fetchFrom(CHAIN.links)(name)), names: () => [] }),
      all: {
        run: (chain) => chain.run({}),
        next: (chain) => chain.next(),
        provideBytes: (chain) => chain.provideBytes(Buffer.from('{}')),
        provideAbsent: (chain) => chain.provideAbsent(),
        provideNames: (chain) => chain.provideNames([], { complete: true }),
        provideFailure: (chain) => chain.provideFailure(Failure.UNAVAILABLE),
        finish: (chain) => chain.finish(),
      },
    },
  ];
  const used = (error) => error instanceof touchmark.WrongState && /is being used/.test(error.message);

  test('a driver has its handle until it ends', async () => {
    for (const { make, drive, all } of kinds) {
      const it = make();
      assert.deepEqual(Object.getOwnPropertyNames(Object.getPrototypeOf(it)).sort(), ['constructor', ...Object.keys(all)].sort());
      let asked = 0;
      await drive(it, async () => {
        asked += 1;
        for (const each of Object.values(all)) await assert.rejects(async () => each(it), used);
      });
      assert.ok(asked > 0);
      // It is free again: the library refuses what comes too late.
      assert.throws(() => it.provideFailure(Failure.UNAVAILABLE), (error) => error instanceof touchmark.WrongState && !used(error));
    }
  });

  test('a driver that failed leaves its handle to the next', async () => {
    for (const { make, drive } of kinds) {
      const it = make();
      await assert.rejects(drive(it, () => null.x), TypeError);
      await drive(it, () => undefined);
    }
  });

  test('closing takes nothing from a driver', async () => {
    for (const { make, drive, all } of kinds) {
      const it = make();
      await drive(it, () => it.close());
      for (const each of Object.values(all)) await assert.rejects(async () => each(it), /is closed/);
    }
  });
});
