'use strict';

// With files and functions that fetch: OCI layouts, policy files, trust roots, TUF, in-toto, the search.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, describe, test } = require('node:test');
const touchmark = require('touchmark');

const { Accept, Client, Failure, FetchFailed, Policy, PolicyFile, PrivateKey, PublicKey, Request, Search, Source, SupplyChain, TrustRoot } = touchmark;

const AT = 1795824000;
const VECTORS = process.env.TOUCHMARK_VECTORS || path.join(__dirname, '../../../testdata/vectors');
const NAME = 'acme/x:1';
const read = (...parts) => fs.readFileSync(path.join(VECTORS, ...parts));
const ROOT = read('tuf/plain.root.json');
const IMAGE = read('manifests/image.json');
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'touchmark-'));
after(() => fs.rmSync(work, { recursive: true }));

/** Gives the files of a folder of the vectors, later. */
const fetchFrom = (folder) => async (name) => {
  await new Promise(setImmediate);
  return fs.promises.readFile(path.join(VECTORS, folder, name)).catch(() => undefined);
};
const unreachable = async () => {
  throw new FetchFailed(Failure.UNAVAILABLE, 'nobody answers');
};

describe('OCI layouts', () => {
  const folder = path.join(work, 'layout');
  fs.cpSync(path.join(VECTORS, 'layouts/signed'), folder, { recursive: true });
  const reference = `oci:${folder}:v1`;
  const policy = Policy.fromKeys([PublicKey.read(read('layouts/alice.pub'))]);

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
    const key = PrivateKey.generate();
    const own = Policy.fromKeys([key.publicKey], { name: NAME });
    await assert.rejects(source.verify(own, AT), touchmark.NotVerified);
    await source.attach([touchmark.signManifest(await source.manifest(), [key.signer()], { name: NAME, issued: AT })]);
    assert.equal((await (await Source.open(reference)).verify(own, AT)).name, NAME);
  });

  test('what is closed while a call runs is kept until it ends', async () => {
    const source = await Source.open(reference);
    const own = Policy.fromKeys([PublicKey.read(read('layouts/alice.pub'))]);
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

  test('a policy file without a rule rejects', async () => {
    const file = path.join(work, 'policy.json');
    fs.writeFileSync(file, '{"version":1,"rules":[]}');
    await assert.rejects(async () => (await PolicyFile.open(file)).verify(await Source.open(reference), AT), touchmark.PolicyRejected);
  });
});

describe('trust roots', () => {
  const policyOf = (standing) => Policy.fromStanding(standing, { acceptOnly: Accept.ENTRY });

  test('metadata in a folder', async () => {
    const trust = await TrustRoot.open(ROOT, path.join(VECTORS, 'trust/entry'), path.join(work, 'store'), AT);
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
    await client.drive(fetchFrom('trust/entry'), store);
    client.lookUp(NAME);
    await client.drive(fetchFrom('trust/entry'), store);
    const policy = policyOf(client.standing(NAME));
    assert.equal(policy.verifyManifest(IMAGE, [], AT).report.accepted_by, 'entry');
    assert.throws(() => policy.verifyManifest(Buffer.concat([IMAGE, Buffer.from(' ')]), [], AT), touchmark.NotVerified);
  });
});

describe('The Update Framework', () => {
  test('an update and a target', async () => {
    const store = new Map([['root.json', ROOT]]);
    const client = new Client(AT);
    await client.drive(fetchFrom('tuf/plain'), store);
    assert.ok(client.state.timestamp.version >= 1);
    client.lookUp(NAME);
    await client.drive(fetchFrom('tuf/plain'), store);
    const target = client.found();
    assert.deepEqual([target.length, target.role], [3, 'targets']);
    target.check(Buffer.from('abc'));
    assert.throws(() => target.check(Buffer.from('abd')), touchmark.NotVerified);
    await new Client(AT, { offline: true }).drive(() => assert.fail('nothing is fetched'), store);
  });

  test('refusals', async () => {
    const store = () => new Map([['root.json', ROOT]]);
    await assert.rejects(new Client(AT + 20 * 366 * 86400).drive(fetchFrom('tuf/plain'), store()), touchmark.ExpiredMetadata);
    const lies = (name) => (name === 'timestamp.json' ? Buffer.from('{}') : fetchFrom('tuf/plain')(name));
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
  const layout = read('in-toto/golang-dsse.layout');
  const keys = [PublicKey.read(read('in-toto/golang.alice.pub'))];
  const names = async (folder) => fs.promises.readdir(path.join(VECTORS, 'in-toto/golang', folder));

  test('by steps and in a folder', async () => {
    const bySteps = await new SupplyChain(layout, keys, AT).run({ file: fetchFrom('in-toto/golang'), names });
    const inFolder = await touchmark.verifySupplyChain(layout, keys, path.join(VECTORS, 'in-toto/golang'), AT);
    assert.deepEqual(bySteps.report, inFolder.report);
  });

  test('a refusal has every reason; and what could not be had is not known', async () => {
    const nothing = { file: () => undefined, names: () => [] };
    await assert.rejects(new SupplyChain(layout, keys, AT).run(nothing), (error) => error instanceof touchmark.SupplyChainNotVerified && error.report !== undefined);
    await assert.rejects(new SupplyChain(layout, keys, AT).run({ file: unreachable, names: unreachable }), touchmark.Unknown);
    await assert.rejects(touchmark.verifySupplyChain(layout, [PrivateKey.generate().publicKey], VECTORS, AT), touchmark.UntrustedMetadata);
  });
});

describe('the search', () => {
  const key = PrivateKey.generate();
  const policy = Policy.fromKeys([key.publicKey]);
  const digest = touchmark.digest(IMAGE);
  const store = (referrers) => ({ manifest: async () => IMAGE, blob: async () => undefined, referrers });
  const none = async () => ({ index: Buffer.from('{"schemaVersion":2,"manifests":[]}'), complete: true });

  test('outcomes', async () => {
    const envelopes = [touchmark.signManifest(IMAGE, [key.signer()], { issued: AT }).toJson()];
    assert.equal((await new Search(new Request(policy, digest, AT, { envelopes })).run(store(none))).digest, digest);
    await assert.rejects(new Search(new Request(policy, digest, AT)).run(store(none)), touchmark.Unsigned);
    await assert.rejects(new Search(new Request(policy, digest, AT)).run(store(unreachable)), touchmark.Unknown);
    await assert.rejects(new Search(new Request(policy, digest, AT)).run(store(() => null.x)), TypeError);
    const search = new Search(new Request(policy, digest, AT));
    assert.deepEqual(search.next(), search.next());
    assert.throws(() => search.finish(), touchmark.WrongState);
  });
});
