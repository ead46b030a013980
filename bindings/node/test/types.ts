// Is checked and not run: what index.d.ts says is what a program in TypeScript wants.

import * as touchmark from 'touchmark';
import { Client, type Fetch, Policy, PolicyFile, PublicKey, Search, Source, type Store, TouchmarkError, TrustRoot, type VerifiedArtifact } from 'touchmark';

export async function digestOfRelease(pem: string): Promise<string> {
  using key = PublicKey.read(pem);
  const policy = Policy.fromKeys([key], { threshold: 1, name: 'acme/net-monitor:1.2.0' });
  const source = await Source.open('oci-archive:release.tar');
  const verified: VerifiedArtifact = await source.verify(policy, touchmark.now());
  return verified.digest;
}

export async function update(url: string, store: Map<string, Uint8Array>): Promise<number> {
  const fetched: Fetch = async (path) => {
    const answer = await fetch(new URL(path, url));
    return answer.status === 404 ? null : await answer.arrayBuffer();
  };
  const client = new Client(new Date());
  await client.drive(fetched, store);
  client.lookUp('acme/net-monitor:1.2.0');
  await client.drive(fetched, store);
  return client.standing('acme/net-monitor:1.2.0').expires;
}

export async function search(policy: Policy, digest: string, store: Store): Promise<string | undefined> {
  try {
    return (await new Search(new touchmark.Request(policy, digest, touchmark.now(), { deep: true })).run(store)).name;
  } catch (error) {
    if (error instanceof touchmark.Unsigned) return undefined;
    if (error instanceof TouchmarkError) throw new Error(`${error.statusName} ${error.code}: ${error.hint ?? ''}`, { cause: error });
    throw error;
  }
}

export async function byTrustRootAndPolicy(root: Uint8Array, source: Source, name: string): Promise<string[]> {
  using trust = await TrustRoot.open(root, 'trust/metadata', 'store', touchmark.now());
  const verified = await trust.verify(source, name, touchmark.now());
  const image = await trust.verify(source, name, touchmark.now(), { platform: 'linux/arm64' });
  const byFile = await (await PolicyFile.open('policy.json')).verify(source, touchmark.now(), { name, platform: 'linux/arm64' });
  return [verified.digest, image.digest, byFile.digest];
}

// @ts-expect-error A name is wanted: a trust root says nothing of no name.
export const nameless = (trust: TrustRoot, source: Source) => trust.verify(source, touchmark.now());
// @ts-expect-error What is undefined would ask for nothing.
export const undefinedName = (file: PolicyFile, source: Source, name: string | undefined) => file.verify(source, touchmark.now(), { name });
// @ts-expect-error A time is wanted: nothing is verified as of no time.
export const timeless = (policy: Policy, source: Source) => source.verify(policy);
// @ts-expect-error What is verified is made by verifying alone.
export const forged = () => new touchmark.VerifiedArtifact();
// @ts-expect-error A promise is no signature.
export const later = (key: PublicKey) => touchmark.Signer.fromCallback(key, async (message) => message);
// @ts-expect-error Nothing is no answer.
export const silent: Fetch = async () => undefined;
