// Runs every case of testdata/vectors through the binding. What it does not know fails, so that nothing is left out silently.
//
//     node vectors.mjs FOLDER

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as touchmark from 'touchmark';

const { Accept, Client, Envelope, Hasher, Policy, PolicyDocument, PolicyFile, PublicKey, Request, Search, Source, SupplyChain } = touchmark;

const ALWAYS = ['id', 'operation', 'why', 'spec', 'expect'];
const POLICY = ['keys', 'threshold', 'name', 'annotations', 'predicate_types', 'at'];

const folder = path.resolve(process.argv[2] ?? path.join(path.dirname(fileURLToPath(import.meta.url)), '../../../testdata/vectors'));

function only(members, known) {
  const strange = Object.keys(members).filter((name) => !known.includes(name));
  if (strange.length) throw new Error(`unknown members ${strange}`);
}

function input(source) {
  const [[kind, value], ...more] = Object.entries(source);
  if (more.length) throw new Error('an input of several kinds');
  if (kind === 'text') return Buffer.from(value);
  if (kind === 'base64') return Buffer.from(value, 'base64');
  if (kind === 'file') return fs.readFileSync(path.join(folder, value));
  throw new Error(`an input of kind ${kind}`);
}

const inputs = (list = []) => list.map(input);
const keys = (wanted) => inputs(wanted.keys).map((key) => PublicKey.read(key));

function picked(from, names) {
  return Object.fromEntries(Object.entries(names).flatMap(([name, as]) => (as in from ? [[name, from[as]]] : [])));
}

function policy(wanted) {
  const conditions = picked(wanted, { threshold: 'threshold', name: 'name', annotations: 'annotations', predicateTypes: 'predicate_types' });
  return Policy.fromKeys(keys(wanted), conditions);
}

function said(artifact) {
  return { digest: artifact.digest, name: artifact.name, accepted_by: artifact.report.accepted_by };
}

/** The bytes of a file, or null if there is none. */
async function read(...parts) {
  try {
    return await fs.promises.readFile(path.join(folder, ...parts));
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Whether what some work gives, or how it fails, is what is expected. */
async function compare(expect, work) {
  let [status, code, given] = ['OK', undefined, {}];
  try {
    given = await work();
  } catch (error) {
    if (!(error instanceof touchmark.TouchmarkError)) throw error;
    [status, code] = [error.statusName, error.code];
  }
  assert.equal(status, expect.status, `${status} (${code}), and not ${expect.status}`);
  for (const [name, wanted] of Object.entries(expect)) {
    if (name === 'status') continue;
    if (name === 'code') assert.equal(code, wanted);
    else if (!(name in given)) throw new Error(`unknown member expect.${name}`);
    else assert.deepEqual(given[name], Buffer.isBuffer(given[name]) ? input(wanted) : wanted);
  }
}

/** A place in memory, where some things cannot be had. */
function memory(store, failing = []) {
  only(store, ['manifests', 'blobs', 'referrers']);
  const get = async (part, digest) => {
    if (failing.includes(digest)) throw new Error('it fails');
    const source = store[part]?.[digest];
    return source ? input(source) : null;
  };
  return {
    manifest: (digest) => get('manifests', digest),
    blob: (digest) => get('blobs', digest),
    referrers: async (digest) => ({ index: (await get('referrers', digest)) ?? Buffer.from('{"schemaVersion":2,"manifests":[]}'), complete: true }),
  };
}

async function update({ repository, at, targets = [], expect, ...more }, store) {
  only(more, []);
  const fetch = (name) => read(repository, name);
  let client;
  await compare(expect, async () => {
    client = new Client(at);
    await client.drive(fetch, store);
    const { state } = client;
    const roles = ['root', 'timestamp', 'snapshot', 'targets'].filter((role) => state[role]);
    return { versions: Object.fromEntries(roles.map((role) => [role, state[role].version])) };
  });
  for (const target of targets) {
    only(target, ['path', 'expect']);
    await compare(target.expect, async () => {
      client.lookUp(target.path);
      await client.drive(fetch, store);
      const found = client.found();
      return { length: found.length, role: found.role, sha256: found.json.hashes.sha256 };
    });
  }
}

const operations = {
  'canonical-json': [['document'], ({ document }) => ({ output: touchmark.canonicalJson(input(document)) })],
  digest: [
    ['algorithm', 'document'],
    ({ algorithm, document }) => {
      const bytes = input(document);
      const digest = touchmark.digest(bytes, algorithm);
      for (const size of [1, 7, 64]) {
        const hasher = new Hasher(algorithm);
        for (let begin = 0; begin < bytes.length; begin += size) hasher.update(bytes.subarray(begin, begin + size));
        assert.equal(hasher.digest(), digest);
      }
      return { digest };
    },
  ],
  name: [['name'], ({ name }) => touchmark.checkName(name) ?? {}],
  'public-key': [
    ['key'],
    (wanted) => {
      const key = PublicKey.read(input(wanted.key));
      return { algorithm: key.algorithm, key_id: key.keyId };
    },
  ],
  signature: [['key', 'message', 'signature'], ({ key, message, signature }) => PublicKey.read(input(key)).verify(input(message), input(signature)) ?? {}],
  envelope: [
    ['envelope', 'keys', 'threshold'],
    (wanted) => {
      const verified = Envelope.parse(input(wanted.envelope)).verify(keys(wanted), wanted.threshold);
      return { payload: verified.payload, payload_type: verified.payloadType, keys: verified.keyIds.sort() };
    },
  ],
  verify: [
    [...POLICY, 'manifest', 'envelopes'],
    (wanted) => said(policy(wanted).verifyManifest(input(wanted.manifest), inputs(wanted.envelopes), wanted.at)),
  ],
  search: [
    [...POLICY, 'store', 'artifact', 'covered_by', 'platform', 'failing'],
    async (wanted) => {
      const scope = picked(wanted, { coveredBy: 'covered_by', platform: 'platform' });
      const request = new Request(policy(wanted), wanted.artifact, wanted.at, scope);
      return said(await new Search(request).run(memory(wanted.store, wanted.failing)));
    },
  ],
  tuf: [
    ['root', 'updates'],
    async ({ root, updates }) => {
      const store = new Map([['root.json', input(root)]]);
      for (const each of updates) await update(each, store);
    },
  ],
  standing: [
    ['root', 'repository', 'at', 'name', 'manifest', 'envelopes', 'accept_only', 'by_role'],
    async (wanted) => {
      touchmark.checkName(wanted.name);
      const store = new Map([['root.json', input(wanted.root)]]);
      const fetch = (name) => read(wanted.repository, name);
      const client = new Client(wanted.at);
      await client.drive(fetch, store);
      client.lookUp(wanted.name);
      await client.drive(fetch, store);
      const conditions = picked(wanted, { byRole: 'by_role' });
      if (wanted.accept_only) {
        conditions.acceptOnly = wanted.accept_only.reduce((sum, kind) => {
          if (!Object.hasOwn(Accept, kind.toUpperCase())) throw new Error(`unknown evidence ${kind}`);
          return sum | Accept[kind.toUpperCase()];
        }, 0);
      }
      return said(Policy.fromStanding(client.standing(wanted.name), conditions).verifyManifest(input(wanted.manifest), inputs(wanted.envelopes), wanted.at));
    },
  ],
  'supply-chain': [
    ['layout', 'keys', 'links', 'parameters', 'at'],
    async (wanted) => {
      const chain = new SupplyChain(input(wanted.layout), keys(wanted), wanted.at, picked(wanted, { parameters: 'parameters' }));
      const names = async (below, step) => {
        const listed = await fs.promises.readdir(path.join(folder, wanted.links, below)).catch(() => []);
        return listed.filter((name) => name.startsWith(`${step}.`) && /^[0-9a-f]{8}\.link$/.test(name.slice(step.length + 1))).sort();
      };
      await chain.run({ file: (name) => read(wanted.links, name), names });
      return {};
    },
  ],
  'policy-document': [
    ['document', 'origin', 'questions'],
    async ({ document, origin, questions = [] }) => {
      if (!['local', 'signed'].includes(origin)) throw new Error(`unknown origin ${origin}`);
      const policyDocument = PolicyDocument.read(input(document), { signed: origin === 'signed' });
      for (const question of questions) {
        only(question, ['reference', 'name', 'expect']);
        await compare(question.expect, () => ({ rule: policyDocument.decide(picked(question, { reference: 'reference', name: 'name' })) }));
      }
      return {};
    },
  ],
  layout: [
    [...POLICY, 'reference', 'policy'],
    async (wanted) => {
      const [scheme, ...rest] = wanted.reference.split(':');
      const asked = wanted.policy === undefined ? policy(wanted) : await PolicyFile.open(path.join(folder, wanted.policy));
      const source = await Source.open(`${scheme}:${path.join(folder, rest.join(':'))}`);
      return said(await (asked instanceof PolicyFile ? asked.verify(source, wanted.at) : source.verify(asked, wanted.at)));
    },
  ],
};

const index = JSON.parse(fs.readFileSync(path.join(folder, 'index.json'), 'utf8'));
only(index, ['format', 'cases']);
assert.equal(index.format, 1);
let passed = 0;
const failed = [];
for (const wanted of index.cases) {
  try {
    if (!Object.hasOwn(operations, wanted.operation)) throw new Error(`unknown operation ${wanted.operation}`);
    const [members, operation] = operations[wanted.operation];
    only(wanted, [...ALWAYS, ...members]);
    // These expect something of each of their parts.
    if (wanted.operation === 'tuf') await operation(wanted);
    else await compare(wanted.expect, () => operation(wanted));
    passed += 1;
  } catch (error) {
    failed.push(`${wanted.id}: ${error.name}: ${error.message}`);
  }
}
for (const line of failed) console.error(line);
console.log(`Node: ${passed} vectors passed, ${failed.length} failed`);
process.exitCode = failed.length || !passed ? 1 : 0;
