/** Touchmark: verifies and signs OCI artifacts, by keys, by a trust root, and by how they were made. */

/** Bytes: a Buffer, another view, or an ArrayBuffer. */
export type Data = ArrayBufferView | ArrayBuffer;
/** Text: a string, or bytes that are UTF-8. */
export type Text = string | Data;
/** Whole seconds since 1970, or a Date. */
export type Time = number | Date;
export type Algorithm = 'ed25519' | 'ecdsa-p256' | 'ecdsa-p384' | 'rsa-pss';
export type DigestAlgorithm = 'sha256' | 'sha512';
/** What JSON.parse gives. */
export type Json = any;
/** An answer that may come later: null says that there is none. What is undefined is no answer, and ends the call with a TypeError. */
export type Answer<T> = T | null | Promise<T | null>;

/**
 * Something of the library's. `close()`, `using` and the garbage collector give it back; a call that still runs keeps it until it ends. A handle
 * that is closed throws a TypeError.
 */
export declare abstract class Handle {
  close(): void;
  [Symbol.dispose](): void;
}

export declare const version: string;
/** What this build of the library has beyond verifying without files: `sign`, `io`, `x509`, `supply-chain`. */
export declare function features(): string[];
/** The clock's time, in seconds since 1970. */
export declare function now(): number;

// --- canonical JSON, digests, names

/** The canonical form of a JSON document. */
export declare function canonicalJson(document: Text): Buffer;
/** The digest of some bytes, as `sha256:...`. */
export declare function digest(data: Data, algorithm?: DigestAlgorithm): string;
/** Throws unless `name` is a NAME or NAME:VERSION. */
export declare function checkName(name: string): void;
/** A digest of bytes that come in pieces. After the digest was asked for, nothing can be added. */
export declare class Hasher extends Handle {
  constructor(algorithm?: DigestAlgorithm);
  update(data: Data): this;
  /** The digest as `sha256:...`. */
  digest(): string;
}

// --- keys

export declare class PublicKey extends Handle {
  private constructor();
  static read(pemOrDer: Text): PublicKey;
  /** The key of its bytes alone: 32 for Ed25519, a point for ECDSA. */
  static fromRaw(algorithm: Algorithm, raw: Data): PublicKey;
  readonly algorithm: Algorithm;
  readonly raw: Buffer;
  readonly keyId: string;
  toPem(): string;
  /** Whether it is the same key, in whatever encoding it was read. */
  equals(other: PublicKey): boolean;
  /** Throws BadSignature unless the signature is by this key over this message. */
  verify(message: Data, signature: Data): void;
}
export declare class PrivateKey extends Handle {
  private constructor();
  static generate(algorithm?: 'ed25519' | 'ecdsa-p256'): PrivateKey;
  static read(pemOrDer: Text): PrivateKey;
  /** Reads a key that is encrypted, on another thread. */
  static decrypt(pemOrDer: Text, passphrase: Text): Promise<PrivateKey>;
  readonly publicKey: PublicKey;
  toPem(): string;
  toEncryptedPem(passphrase: Text): Promise<string>;
  signer(): Signer;
}
/**
 * What signs. A function gets the message and gives the signature: 64 bytes for Ed25519, DER for ECDSA, of the message itself, which is not hashed
 * yet. It is verified before it is used. What the function throws is thrown by the call that wanted a signature.
 */
export declare class Signer extends Handle {
  private constructor();
  static fromKey(privateKey: PrivateKey): Signer;
  static fromCallback(publicKey: PublicKey, sign: (message: Buffer) => Data): Signer;
  /** For the functions whose names end in Async. */
  static fromAsync(publicKey: PublicKey, sign: (message: Buffer) => Promise<Data>): Signer;
}

// --- envelopes

/** A DSSE envelope as it was read. Nothing in it is verified. */
export declare class Envelope extends Handle {
  private constructor();
  static parse(data: Text): Envelope;
  static sign(payloadType: string, payload: Data, signers: Iterable<Signer>): Envelope;
  static signAsync(payloadType: string, payload: Data, signers: Iterable<Signer>): Promise<Envelope>;
  addSignature(signer: Signer): Envelope;
  addSignatureAsync(signer: Signer): Promise<Envelope>;
  /** Throws ThresholdNotReached unless `threshold` of the keys, 1 if it is not given, have signed. */
  verify(keys: Iterable<PublicKey>, threshold?: number): VerifiedEnvelope;
  readonly payloadType: string;
  readonly untrustedPayload: Buffer;
  /** The keyid beside each signature: a hint, and often empty. */
  readonly signatureKeyIds: string[];
  toJson(): Buffer;
}
/** The payload of an envelope that enough keys signed. */
export declare class VerifiedEnvelope extends Handle {
  private constructor();
  readonly payload: Buffer;
  readonly payloadType: string;
  /** The identifiers of the keys that signed, each once. */
  readonly keyIds: string[];
}
export interface SignOptions {
  issued: Time;
  expires?: Time;
  /** NAME or NAME:VERSION. */
  name?: string;
  /** The manifest's own unless it is given. */
  mediaType?: string;
  annotations?: Record<string, string>;
}
export declare function signManifest(manifest: Data, signers: Iterable<Signer>, options: SignOptions): Envelope;
export declare function signManifestAsync(manifest: Data, signers: Iterable<Signer>, options: SignOptions): Promise<Envelope>;

// --- policies, and what was verified

/** One that is undefined is refused: it would ask for nothing. */
export interface Conditions {
  /** NAME, NAME:VERSION or NAME:*. */
  name?: string;
  /** Each must be signed. */
  annotations?: Record<string, string>;
  /** Each must be attested. */
  predicateTypes?: Iterable<string>;
  /** An in-toto layout that must hold, with the keys each of which must have signed it. */
  supplyChain?: { layout: Data; keys: Iterable<PublicKey> };
}
/** By what a trust root may accept. */
export declare const Accept: { readonly ENTRY: 1; readonly SEAL: 2; readonly ENVELOPES: 4 };
/** What is asked of an artifact. It does not change. */
export declare class Policy extends Handle {
  private constructor();
  /** Signed by `threshold` of these keys, 1 if it is not given. */
  static fromKeys(keys: Iterable<PublicKey>, conditions?: Conditions & { threshold?: number }): Policy;
  /**
   * As a trust root says. `acceptOnly` (a sum of Accept) and `byRole` restrict it. The policy that the trust repository signs itself is not asked:
   * `TrustRoot.verify` asks it, too.
   */
  static fromStanding(standing: Standing, conditions?: Conditions & { acceptOnly?: number; byRole?: string }): Policy;
  /** Verifies a manifest by envelopes that are at hand. Reads and asks nothing else. */
  verifyManifest(manifest: Data, envelopes: Iterable<Data>, at: Time): VerifiedArtifact;
}
/**
 * A policy as a document: which rule decides for a reference or a name. `signed`: one from a trust repository. One that demands in-toto layouts is
 * Unsupported by a library without supply chains (`features()`).
 */
export declare class PolicyDocument extends Handle {
  private constructor();
  static read(document: Text, options?: { signed?: boolean }): PolicyDocument;
  /** What is probably not meant. */
  check(): Json[];
  /** The rule that decides. Throws PolicyRejected if it rejects, or if there is none. */
  decide(question: { reference?: string; name?: string }): Json;
  decideJson(question: { reference?: string; name?: string }): Buffer;
}
/** An artifact that was verified. There is no other way to one than a verification that succeeded. */
export declare class VerifiedArtifact extends Handle {
  private constructor();
  /** The digest of what was asked about. */
  readonly digest: string;
  readonly mediaType: string;
  readonly size: number;
  /** The manifest's verified bytes, if the decision read them. */
  readonly manifest?: Buffer;
  /** The NAME or NAME:VERSION that was verified, if one was asked for. */
  readonly name?: string;
  /** How it was verified. */
  readonly report: Json;
  toJson(): Buffer;
}

// --- the search

/** Why something could not be had. Only NOT_FOUND means that there is none. */
export declare const Failure: { readonly NOT_FOUND: 1; readonly UNAVAILABLE: 2; readonly DENIED: 3; readonly TOO_LARGE: 4; readonly MALFORMED: 5 };
/**
 * Thrown by your functions: it could not be had, for one of the reasons. What else they throw is "unavailable", but for the errors of a program that
 * is wrong (TypeError, RangeError, ReferenceError and such), which end the call.
 */
export declare class FetchFailed extends Error {
  constructor(failure: number, message: string, options?: { cause?: unknown });
  readonly failure: number;
}
export interface RequestOptions {
  /** The digest of a signed index that lists the artifact. */
  coveredBy?: string;
  /** An `os/arch` of an index. */
  platform?: string;
  /** The only evidence: no referrers are asked for, also if there are none of these. */
  envelopes?: Iterable<Data>;
  /** Every blob's bytes too. */
  deep?: boolean;
}
/** What is asked: a policy, the digest of an artifact and a time. */
export declare class Request extends Handle {
  constructor(policy: Policy, digest: string, at: Time, options?: RequestOptions);
}
/** What a search needs: `limit` bytes at most, and of referrers `entries` at most. For a hash, `limit` is the blob's size. */
export interface Need {
  kind: 'done' | 'manifest' | 'referrers' | 'blob' | 'hash';
  digest: string;
  limit: number;
  entries: number;
  thorough: boolean;
}
/** An image index of what refers to a digest; whether it is the whole list; and whether a thorough look may find more. */
export interface Referrers {
  index: Data;
  complete: boolean;
  more?: boolean;
}
/** Where artifacts are. Null says that there is none. */
export interface Store {
  manifest(digest: string, need: Need): Answer<Data>;
  blob(digest: string, need: Need): Answer<Data>;
  referrers(digest: string, need: Need): Answer<Referrers>;
  /** The digest and the size, computed from the blob's bytes. Without it the whole blob is asked for. */
  hash?(digest: string, need: Need): Answer<{ digest: string; size: number }>;
}
/** A search by steps: `next`, then one of the `provide` methods, until done; then `finish`. `run` does it all. */
export declare class Search extends Handle {
  constructor(request: Request);
  next(): Need;
  provideBytes(data: Data): void;
  provideHash(digest: string, size: number): void;
  provideReferrers(index: Data, options: { complete: boolean; more?: boolean }): void;
  provideFailure(failure: number, message?: string): void;
  finish(): VerifiedArtifact;
  run(store: Store): Promise<VerifiedArtifact>;
}

// --- The Update Framework

/** A target that the trust metadata lists. */
export declare class Target extends Handle {
  private constructor();
  readonly length: number;
  readonly role: string;
  /** Where it is, below the URL of the targets. */
  readonly fetchPath: string;
  /** Throws NotVerified unless the bytes are the target's. */
  check(data: Data): void;
  readonly json: Json;
}
/** What a trust root says of one name. It does not change. */
export declare class Standing extends Handle {
  private constructor();
  /** Until when it says so, in seconds since 1970. */
  readonly expires: number;
  readonly json: Json;
}
/** What a client wants: `limit` bytes at most; `data` is what to store. */
export interface Step {
  kind: 'done' | 'load' | 'fetch' | 'store' | 'remove';
  name: string;
  data: Buffer;
  limit: number;
}
/** Gives the bytes of a file of the repository, of `limit` bytes at most; null says that there is none. */
export type Fetch = (path: string, limit: number) => Answer<Data>;
/** The store of a client: a Map, or anything with these methods, which may be asynchronous. It begins with the trusted `root.json`. */
export interface MetadataStore {
  get(name: string): Answer<Data> | undefined | Promise<Data | null | undefined>;
  set(name: string, data: Buffer): unknown;
  delete(name: string): unknown;
}
/** A client of a TUF repository by steps: `next`, then one of the `provide` methods, until done. `drive` does it all. */
export declare class Client extends Handle {
  /** `offline`: the store alone. */
  constructor(at: Time, options?: { offline?: boolean });
  next(): Step;
  provideBytes(data: Data): void;
  provideAbsent(): void;
  provideDone(): void;
  provideFailure(failure: number, message?: string): void;
  drive(fetch: Fetch, store: MetadataStore): Promise<void>;
  /** Begins the search for a target; steps follow until done. */
  lookUp(path: string): void;
  /** The target that was looked up. Throws NotFound if nobody lists it. */
  found(): Target;
  /** What the trust root says of a NAME or NAME:VERSION that was looked up. The policy that its repository signs itself is not asked. */
  standing(name: string): Standing;
  /** What is trusted so far: versions and expiries. */
  readonly state: Json;
}

// --- in-toto layouts

/** A supply chain that is as its layout says. */
export declare class VerifiedSupplyChain extends Handle {
  private constructor();
  readonly report: Json;
}
/** What is needed next: a file below the folder of links; the names of a step's files in a folder; an inspection's link, for a folder in `step`. */
export interface ChainNeed {
  kind: 'done' | 'file' | 'names' | 'inspection';
  name: string;
  step: string;
  limit: number;
}
export interface Links {
  file(path: string, limit: number): Answer<Data>;
  names(folder: string, step: string): Answer<Iterable<string>>;
  inspection?(name: string, folder: string): Answer<Data>;
}
/** The verification of a layout, which `keys` must have signed, by steps. `run` does it all. No inspection is ever run. */
export declare class SupplyChain extends Handle {
  constructor(layout: Data, keys: Iterable<PublicKey>, at: Time, options?: { parameters?: Record<string, string> });
  next(): ChainNeed;
  provideBytes(data: Data): void;
  provideAbsent(): void;
  /** `complete`: no name was left out. */
  provideNames(names: Iterable<string>, options: { complete: boolean }): void;
  provideFailure(failure: number, message?: string): void;
  /** Throws SupplyChainNotVerified, whose `report` has every reason, unless all is as the layout says. */
  finish(): VerifiedSupplyChain;
  run(links: Links): Promise<VerifiedSupplyChain>;
}
/** Verifies a layout over the links in a folder. */
export declare function verifySupplyChain(
  layout: Data,
  keys: Iterable<PublicKey>,
  links: string,
  at: Time,
  options?: { parameters?: Record<string, string> },
): Promise<VerifiedSupplyChain>;

// --- with files, which are read on other threads

/** An artifact in an OCI layout: `oci:PATH[:TAG][@DIGEST]` for a folder, `oci-archive:...` for a tar. */
export declare class Source extends Handle {
  private constructor();
  static open(reference: string): Promise<Source>;
  /** The digest of what the reference names. */
  digest(): Promise<string>;
  manifest(): Promise<Buffer>;
  /** Verifies it by what is stored with it. */
  verify(policy: Policy, at: Time): Promise<VerifiedArtifact>;
  verifyRequest(request: Request): Promise<VerifiedArtifact>;
  /** Stores envelopes with it; folders only. */
  attach(envelopes: Iterable<Envelope>): Promise<void>;
}
/** A policy in a file, with the keys, roots and layouts that it names. */
export declare class PolicyFile extends Handle {
  private constructor();
  static open(path: string): Promise<PolicyFile>;
  /**
   * Verifies an artifact by the rule that decides for it: under `name`, a NAME, NAME:VERSION or NAME:*, which rules with `names` are for. With
   * `platform`, an `os/arch`, what is verified is the image that an index lists for it, if the rule lets the index decide. An option that is
   * undefined is refused: it would ask for nothing.
   */
  verify(source: Source, at: Time, options?: { name?: string; platform?: string }): Promise<VerifiedArtifact>;
}
/**
 * A trust root with metadata in a folder and a store in another. Calls wait for one another. For metadata on a server there is `Client`, which finds
 * what there is for a name, so that it can be put into a folder.
 */
export declare class TrustRoot extends Handle {
  private constructor();
  static open(root: Text, metadata: string, store: string, at: Time): Promise<TrustRoot>;
  /**
   * Verifies that an artifact is `name`, a NAME, NAME:VERSION or NAME:*, by what the trust root says and by the policy that its repository signs
   * itself, where it has one. With `platform`, an `os/arch`, what is verified is the image that an index lists for it.
   */
  verify(source: Source, name: string, at: Time, options?: { platform?: string }): Promise<VerifiedArtifact>;
  /**
   * What the trust root says of a NAME or NAME:VERSION, for `Policy.fromStanding`. It is the metadata's word alone: the policy that the repository
   * signs itself is asked by `verify`.
   */
  standing(name: string): Promise<Standing>;
  /** The verified bytes of a target. Throws NotFound if nobody lists it. */
  target(path: string): Promise<Buffer>;
  /** What is worth knowing beside the answers: such as that the source was not reached. */
  notes(): Promise<Json>;
}

export * from './errors.js';
