/* libtouchmark. Made by tools/header from crates/capi/src; do not edit. Apache-2.0 OR MIT */

#ifndef TOUCHMARK_H
#define TOUCHMARK_H

#include <stddef.h>
#include <stdint.h>

/* The version of this header. */
#define TOUCHMARK_VERSION_MAJOR 0
#define TOUCHMARK_VERSION_MINOR 1
#define TOUCHMARK_VERSION_PATCH 0
#define TOUCHMARK_VERSION "0.1.0"
/* major << 24 | minor << 12 | patch, as touchmark_abi_version() gives it for the library. */
#define TOUCHMARK_ABI_VERSION 0x00001000

/* What the library was built with. A build for verifying alone has neither signing nor files nor in-toto layouts: define
   TOUCHMARK_VERIFIER_ONLY for it (pkg-config and CMake do). */
#ifndef TOUCHMARK_VERIFIER_ONLY
#define TOUCHMARK_SIGN 1
#define TOUCHMARK_IO 1
#endif
#if defined(TOUCHMARK_IO) && !defined(TOUCHMARK_SUPPLY_CHAIN)
#define TOUCHMARK_SUPPLY_CHAIN 1
#endif

/*
 * How it is used (SPEC.md, "The C interface", has all of it):
 *
 * - What can fail returns a touchmark_status, 0 for success. Results come by the pointers at the end, which are zeroed first.
 *   The last one is for an error, and may be NULL; what it then points to is there only if the call failed, and is freed by the caller.
 * - A function names the statuses that are its own. What every argument must be has its own wherever it is one: TOUCHMARK_STATUS_NULL_POINTER,
 *   _INVALID_LENGTH, _INVALID_UTF8, _INVALID_TIME, _INVALID_NAME, _INVALID_DIGEST, and _INVALID_ARGUMENT for a number or a text that names nothing.
 * - Handles are opaque. Each is freed by the caller with the function of its kind, to which NULL is nothing. None needs another one
 *   to live longer than the call that it was given to, so that they are freed in any order.
 * - A touchmark_bytes that is given is read during the call: NULL is allowed if its length is 0. One that is returned is a view,
 *   which lives as long as the handle that it came from. Text is UTF-8 and need not end with a NUL.
 * - An array is a pointer to its first element and a count; NULL is allowed if the count is 0.
 * - Times are seconds since 1970, given with every call that decides. 0 and less are refused.
 * - Handles that nothing changes may be used by any number of threads at once: keys, signers, envelopes, policies, standings, what was
 *   verified, errors, buffers. The others take one call at a time, and answer TOUCHMARK_STATUS_WRONG_STATE to another one meanwhile,
 *   also to one out of a callback. A handle is not freed while a call uses it.
 * - What is verified is a handle that exists only after success: touchmark_verified_... hold what was verified, and programs go on
 *   with what is in there.
 * - Functions of the caller must return: no exceptions, no longjmp. They give bytes through a sink.
 */


/**
 * SHA-256.
 */
#define TOUCHMARK_DIGEST_SHA256 1

/**
 * SHA-512.
 */
#define TOUCHMARK_DIGEST_SHA512 2

/**
 * `touchmark_features`: private keys and signing.
 */
#define TOUCHMARK_FEATURE_SIGN 1

/**
 * `touchmark_features`: files.
 */
#define TOUCHMARK_FEATURE_IO 2

/**
 * `touchmark_features`: functionaries of layouts who are known by certificates.
 */
#define TOUCHMARK_FEATURE_X509 4

/**
 * `touchmark_features`: in-toto layouts.
 */
#define TOUCHMARK_FEATURE_SUPPLY_CHAIN 8

/**
 * `touchmark_policy_builder_accept_only`: an entry of the trust metadata.
 */
#define TOUCHMARK_ACCEPT_ENTRY 1

/**
 * `touchmark_policy_builder_accept_only`: a seal of the trust metadata.
 */
#define TOUCHMARK_ACCEPT_SEAL 2

/**
 * `touchmark_policy_builder_accept_only`: envelopes, signed by a role's keys or by those of the caller.
 */
#define TOUCHMARK_ACCEPT_ENVELOPES 4

/**
 * The user's own document.
 */
#define TOUCHMARK_ORIGIN_LOCAL 1

/**
 * A document that a trust repository signs, which can name neither files nor other repositories.
 */
#define TOUCHMARK_ORIGIN_SIGNED 2

/**
 * Ed25519 (RFC 8032).
 */
#define TOUCHMARK_KEY_ED25519 1

/**
 * ECDSA over P-256 with SHA-256.
 */
#define TOUCHMARK_KEY_ECDSA_P256 2

/**
 * ECDSA over P-384 with SHA-384.
 */
#define TOUCHMARK_KEY_ECDSA_P384 3

/**
 * RSASSA-PSS with SHA-256: checked and never made; of TUF metadata and in-toto documents, never of artifacts.
 */
#define TOUCHMARK_KEY_RSA_PSS 4

/**
 * Nothing: it has decided. Call `touchmark_search_finish`.
 */
#define TOUCHMARK_NEED_DONE 0

/**
 * The bytes of the manifest with this digest.
 */
#define TOUCHMARK_NEED_MANIFEST 1

/**
 * The manifests that name this one as their subject, as an OCI image index.
 */
#define TOUCHMARK_NEED_REFERRERS 2

/**
 * The bytes of the blob with this digest.
 */
#define TOUCHMARK_NEED_BLOB 3

/**
 * The digest and size of the blob that is stored under this digest, computed from all of its bytes.
 */
#define TOUCHMARK_NEED_HASH 4

/**
 * It is not there.
 */
#define TOUCHMARK_FAILURE_NOT_FOUND 1

/**
 * It could not be read or reached.
 */
#define TOUCHMARK_FAILURE_UNAVAILABLE 2

/**
 * Whoever has it refuses to give it.
 */
#define TOUCHMARK_FAILURE_DENIED 3

/**
 * It has more bytes than were asked for.
 */
#define TOUCHMARK_FAILURE_TOO_LARGE 4

/**
 * What is there is nothing that may be there.
 */
#define TOUCHMARK_FAILURE_MALFORMED 5

#if defined(TOUCHMARK_SUPPLY_CHAIN)
/**
 * Nothing: all is decided. Call `touchmark_supply_chain_finish`.
 */
#define TOUCHMARK_SUPPLY_CHAIN_DONE 0
#endif

#if defined(TOUCHMARK_SUPPLY_CHAIN)
/**
 * The bytes of the file at `name` below the folder of links, at most `limit`.
 */
#define TOUCHMARK_SUPPLY_CHAIN_FILE 1
#endif

#if defined(TOUCHMARK_SUPPLY_CHAIN)
/**
 * The names of the files in the folder `name`, empty or with a slash at its end, that are links of the step `step`: `STEP.XXXXXXXX.link` with
 * eight of `0-9a-f`; at most `limit` of them, the first ones in their order. For steps that take certificates, and no others.
 */
#define TOUCHMARK_SUPPLY_CHAIN_NAMES 2
#endif

#if defined(TOUCHMARK_SUPPLY_CHAIN)
/**
 * The outcome of the inspection `name`, which nobody has signed, of the layout in the folder `step`. Nothing here runs a command:
 * `touchmark_supply_chain_provide_absent` says so, and the inspection is then not verified.
 */
#define TOUCHMARK_SUPPLY_CHAIN_INSPECTION 3
#endif

/**
 * Nothing: the update or the search is over.
 */
#define TOUCHMARK_TUF_DONE 0

/**
 * The bytes of the store's file `name`, at most `limit`: `touchmark_tuf_client_provide_bytes` or `_absent`.
 */
#define TOUCHMARK_TUF_LOAD 1

/**
 * The bytes of the repository's file at `name` below the metadata URL, at most `limit`: `touchmark_tuf_client_provide_bytes` or `_absent`.
 */
#define TOUCHMARK_TUF_FETCH 2

/**
 * To keep `bytes` as the store's file `name`, whole or not at all, in place of what was there: `touchmark_tuf_client_provide_done`.
 */
#define TOUCHMARK_TUF_STORE 3

/**
 * To remove the store's file `name`, if it is there: `touchmark_tuf_client_provide_done`.
 */
#define TOUCHMARK_TUF_REMOVE 4

/**
 * Bytes that the caller owns: freed by it, read by any number of threads.
 */
typedef struct touchmark_buffer touchmark_buffer;

/**
 * An envelope that was read, and that nothing vouches for yet. Immutable; any number of threads may use one.
 */
typedef struct touchmark_envelope touchmark_envelope;

/**
 * Why a call failed. Immutable; any number of threads may look at one.
 */
typedef struct touchmark_error touchmark_error;

/**
 * Computes a digest piece by piece. One call at a time.
 */
typedef struct touchmark_hasher touchmark_hasher;

/**
 * A policy. Immutable; any number of threads may use one.
 */
typedef struct touchmark_policy touchmark_policy;

/**
 * A policy being made. One call at a time.
 */
typedef struct touchmark_policy_builder touchmark_policy_builder;

/**
 * A policy document (SPEC.md, "Policy"). Immutable; any number of threads may use one.
 */
typedef struct touchmark_policy_document touchmark_policy_document;

#if defined(TOUCHMARK_IO)
/**
 * A policy file that was read (SPEC.md, "Policy"). What it names is read at each decision. Any number of threads may use one.
 */
typedef struct touchmark_policy_file touchmark_policy_file;
#endif

#if defined(TOUCHMARK_SIGN)
/**
 * A private key, wiped from memory when the last handle that uses it is freed. Immutable; any number of threads may use one.
 */
typedef struct touchmark_private_key touchmark_private_key;
#endif

/**
 * A public key. Immutable; any number of threads may use one.
 */
typedef struct touchmark_public_key touchmark_public_key;

/**
 * What is to be decided: which artifact, by which policy, at which time. One call at a time while it is changed; then any number of
 * threads may use one.
 */
typedef struct touchmark_request touchmark_request;

/**
 * A decision under way. One call at a time.
 */
typedef struct touchmark_search touchmark_search;

#if defined(TOUCHMARK_SIGN)
/**
 * Something that signs with one key. Any number of threads may use one; that of a function, if the function may be called so.
 */
typedef struct touchmark_signer touchmark_signer;
#endif

/**
 * Where a function of the caller puts what it was asked for. Valid while that function runs, and only there.
 */
typedef struct touchmark_sink touchmark_sink;

#if defined(TOUCHMARK_IO)
/**
 * A place with artifacts, and which of them a reference names. Any number of threads may use one.
 */
typedef struct touchmark_source touchmark_source;
#endif

/**
 * What trust metadata says of a name. Immutable; any number of threads may use one.
 */
typedef struct touchmark_standing touchmark_standing;

#if defined(TOUCHMARK_SUPPLY_CHAIN)
/**
 * A layout being verified. One call at a time.
 */
typedef struct touchmark_supply_chain touchmark_supply_chain;
#endif

#if defined(TOUCHMARK_IO)
/**
 * A trust root whose metadata is up to date, as far as its notes do not say otherwise (SPEC.md, "Trust roots and names"). One call at a time.
 * Others who open its store wait until it is freed, for a minute; what was made by it stays.
 */
typedef struct touchmark_trust_root touchmark_trust_root;
#endif

/**
 * A client of one TUF repository, for one update and any number of searches after it (SPEC.md, "The Update Framework"). One call at a time.
 *
 * The store is the caller's: a flat folder, or anything that keeps files by name. It begins with the trusted root as `root.json`, and has
 * whatever was verified, so that nothing older is accepted later.
 */
typedef struct touchmark_tuf_client touchmark_tuf_client;

/**
 * What a TUF repository says of a target. Immutable; any number of threads may use one.
 */
typedef struct touchmark_tuf_target touchmark_tuf_target;

/**
 * An artifact that a policy accepts. There is one only after a verification that succeeded. Immutable; any number of threads may use one.
 */
typedef struct touchmark_verified_artifact touchmark_verified_artifact;

/**
 * What a threshold of keys has signed. There is one only after a verification that succeeded. Immutable; any number of threads may use one.
 */
typedef struct touchmark_verified_envelope touchmark_verified_envelope;

#if defined(TOUCHMARK_SUPPLY_CHAIN)
/**
 * A supply chain that is as its layout says. There is one only after a verification that succeeded. Immutable; any number of threads may
 * use one.
 */
typedef struct touchmark_verified_supply_chain touchmark_verified_supply_chain;
#endif

/**
 * Bytes that belong to somebody else, by value. Text is UTF-8 and need not end with a NUL.
 *
 * As an argument: `ptr` may be NULL if `len` is 0; the bytes are read during the call and not kept.
 * As a result: a view of the handle that it came from, valid until that is freed or, where the function says so, used again.
 */
typedef struct touchmark_bytes {
  /**
   * The first byte; NULL if there is none.
   */
  const uint8_t *ptr;
  /**
   * How many there are.
   */
  size_t len;
} touchmark_bytes;

/**
 * What a call came to. 0 is success and nothing else is; the hundreds say whose fault it is. Numbers are never given another meaning,
 * and new ones may be added: what is not known is a failure.
 */
typedef uint32_t touchmark_status;

/**
 * What a search needs next, by value.
 */
typedef struct touchmark_need {
  /**
   * `TOUCHMARK_NEED_...`.
   */
  uint32_t kind;
  /**
   * Of referrers: 0 for what the source tells quickly, 1 for all that it can find out.
   */
  uint32_t thorough;
  /**
   * The digest of what is needed, `sha256:...`. A view, valid until the next call on the search.
   */
  struct touchmark_bytes digest;
  /**
   * At most so many bytes; of a hash, the size that it should have.
   */
  uint64_t limit;
  /**
   * Of referrers: at most so many.
   */
  uint64_t entries;
} touchmark_need;

/**
 * A key and its value, by value: annotations of a signature, parameters of a layout.
 */
typedef struct touchmark_pair {
  /**
   * The key, text.
   */
  struct touchmark_bytes key;
  /**
   * The value, text.
   */
  struct touchmark_bytes value;
} touchmark_pair;

#if defined(TOUCHMARK_SIGN)
/**
 * A function of the caller that signs: appends the signature of `message` to `signature`, raw for Ed25519, in DER for ECDSA (which hashes
 * the message by itself), and returns `TOUCHMARK_STATUS_OK`; any other status fails the call. It must not unwind or jump out.
 */
typedef touchmark_status (*touchmark_sign_fn)(void *userdata,
                                              struct touchmark_bytes message,
                                              struct touchmark_sink *signature);
#endif

#if defined(TOUCHMARK_SUPPLY_CHAIN)
/**
 * What a layout's verification needs next, by value.
 */
typedef struct touchmark_supply_chain_need {
  /**
   * `TOUCHMARK_SUPPLY_CHAIN_...`.
   */
  uint32_t kind;
  /**
   * 0.
   */
  uint32_t reserved;
  /**
   * Which file, folder or inspection; a path has names with a slash between them, none of which is `.` or `..`. A view, valid until the next
   * call on the verification.
   */
  struct touchmark_bytes name;
  /**
   * Of names: the step. Of an inspection: the folder of its layout. A view as `name`.
   */
  struct touchmark_bytes step;
  /**
   * At most so many bytes, or names.
   */
  uint64_t limit;
} touchmark_supply_chain_need;
#endif

/**
 * A function of the caller that fetches a file: appends its bytes, at most `limit`, to `bytes` and returns `TOUCHMARK_STATUS_OK`; returns
 * `TOUCHMARK_STATUS_NOT_FOUND` only if there surely is no such file; or any other status if it could not find out, with
 * `touchmark_sink_fail` saying why. It must not unwind or jump out, and a call out of it on the handle that called it is
 * `TOUCHMARK_STATUS_WRONG_STATE`.
 */
typedef touchmark_status (*touchmark_fetch_fn)(void *userdata,
                                               struct touchmark_bytes path,
                                               uint64_t limit,
                                               struct touchmark_sink *bytes);

/**
 * What a TUF client wants done next, by value.
 */
typedef struct touchmark_tuf_step {
  /**
   * `TOUCHMARK_TUF_...`.
   */
  uint32_t kind;
  /**
   * 0.
   */
  uint32_t reserved;
  /**
   * Which file: a name without a folder in it; of the repository, one segment of a URL, percent-encoded. A view, valid until the next
   * call on the client.
   */
  struct touchmark_bytes name;
  /**
   * What is to be stored. A view, valid until the next call on the client.
   */
  struct touchmark_bytes bytes;
  /**
   * At most so many bytes are taken.
   */
  uint64_t limit;
} touchmark_tuf_step;

/**
 * A function of the caller that keeps `bytes` as the file `file` of its store, whole or not at all, in place of what was there. It must not
 * unwind or jump out.
 */
typedef touchmark_status (*touchmark_store_fn)(void *userdata, struct touchmark_bytes file, struct touchmark_bytes bytes);

/**
 * A function of the caller that removes the file `file` of its store, if it is there; `TOUCHMARK_STATUS_NOT_FOUND` if it is not, which is as good.
 * It must not unwind or jump out.
 */
typedef touchmark_status (*touchmark_remove_fn)(void *userdata, struct touchmark_bytes file);

/**
 * The functions of the caller that a TUF client is driven by. Begin with all zeros, so that members of later versions are too.
 */
typedef struct touchmark_tuf_callbacks {
  /**
   * `sizeof(touchmark_tuf_callbacks)`.
   */
  size_t struct_size;
  /**
   * What each of the functions is given.
   */
  void *userdata;
  /**
   * Fetches a file of the repository, by its path below the metadata URL. Not needed if the client is offline.
   */
  touchmark_fetch_fn fetch;
  /**
   * Reads a file of the store.
   */
  touchmark_fetch_fn load;
  /**
   * Writes a file of the store. Not needed if the client is offline.
   */
  touchmark_store_fn store;
  /**
   * Removes a file of the store. Not needed if the client is offline.
   */
  touchmark_remove_fn remove;
} touchmark_tuf_callbacks;

/**
 * It worked. Of a function that verifies: it is verified.
 */
#define TOUCHMARK_STATUS_OK 0

/**
 * An argument cannot be what it is: a number that names nothing, an empty path, a text outside of its grammar.
 */
#define TOUCHMARK_STATUS_INVALID_ARGUMENT 100

/**
 * A pointer is NULL that must not be.
 */
#define TOUCHMARK_STATUS_NULL_POINTER 101

/**
 * A length or a count is larger than memory can hold.
 */
#define TOUCHMARK_STATUS_INVALID_LENGTH 102

/**
 * A text is not UTF-8.
 */
#define TOUCHMARK_STATUS_INVALID_UTF8 103

/**
 * A time is zero, negative, or after the year 9999.
 */
#define TOUCHMARK_STATUS_INVALID_TIME 104

/**
 * The handle does not take this call now: another one must come before, it has ended, or another call is using it.
 */
#define TOUCHMARK_STATUS_WRONG_STATE 105

/**
 * The key is read, and is not one that may be used here: weak, private instead of public or the other way round, RSA for artifacts.
 */
#define TOUCHMARK_STATUS_INVALID_KEY 106

/**
 * The threshold is zero or above the number of distinct keys.
 */
#define TOUCHMARK_STATUS_INVALID_THRESHOLD 107

/**
 * The private key is encrypted, and the passphrase is not there or not the right one.
 */
#define TOUCHMARK_STATUS_WRONG_PASSPHRASE 108

/**
 * A text is no NAME or NAME:VERSION.
 */
#define TOUCHMARK_STATUS_INVALID_NAME 109

/**
 * A text is no digest.
 */
#define TOUCHMARK_STATUS_INVALID_DIGEST 110

/**
 * A text is no reference, or names a place that this library does not open.
 */
#define TOUCHMARK_STATUS_INVALID_REFERENCE 111

/**
 * It is known, and this library or this build of it does not do it.
 */
#define TOUCHMARK_STATUS_UNSUPPORTED 112

/**
 * What was read, or what was to be verified, is not in its form; or a source gave other bytes than asked for.
 */
#define TOUCHMARK_STATUS_MALFORMED 200

/**
 * It is not JSON, or has no canonical form.
 */
#define TOUCHMARK_STATUS_MALFORMED_JSON 201

/**
 * It is no envelope.
 */
#define TOUCHMARK_STATUS_MALFORMED_ENVELOPE 202

/**
 * It is no key.
 */
#define TOUCHMARK_STATUS_MALFORMED_KEY 203

/**
 * It is no policy document.
 */
#define TOUCHMARK_STATUS_MALFORMED_POLICY 204

/**
 * It is larger than is read.
 */
#define TOUCHMARK_STATUS_TOO_LARGE 205

/**
 * There is evidence, and it does not suffice.
 */
#define TOUCHMARK_STATUS_NOT_VERIFIED 300

/**
 * There is no evidence.
 */
#define TOUCHMARK_STATUS_UNSIGNED 301

/**
 * The signature is not valid.
 */
#define TOUCHMARK_STATUS_BAD_SIGNATURE 302

/**
 * Fewer keys have signed than are needed.
 */
#define TOUCHMARK_STATUS_THRESHOLD_NOT_REACHED 303

/**
 * The trust metadata is not to be trusted.
 */
#define TOUCHMARK_STATUS_UNTRUSTED_METADATA 400

/**
 * The trust metadata has expired.
 */
#define TOUCHMARK_STATUS_EXPIRED_METADATA 401

/**
 * The trust metadata is older than what was seen before.
 */
#define TOUCHMARK_STATUS_ROLLBACK 402

/**
 * The supply chain does not hold.
 */
#define TOUCHMARK_STATUS_SUPPLY_CHAIN_NOT_VERIFIED 500

/**
 * A policy rejects it, or has no rule for it.
 */
#define TOUCHMARK_STATUS_POLICY_REJECTED 501

/**
 * A function of the caller failed.
 */
#define TOUCHMARK_STATUS_CALLBACK_FAILED 600

/**
 * It could not be found out.
 */
#define TOUCHMARK_STATUS_UNKNOWN 700

/**
 * It is not there.
 */
#define TOUCHMARK_STATUS_NOT_FOUND 701

/**
 * A file or a folder could not be read or written.
 */
#define TOUCHMARK_STATUS_IO_ERROR 702

/**
 * Something failed that should not: no random numbers, a contradiction in the library.
 */
#define TOUCHMARK_STATUS_INTERNAL 900

/**
 * The library panicked. The handle that the call changed answers this from now on; others are as they were.
 */
#define TOUCHMARK_STATUS_PANIC 901

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The digest of the manifest that was verified. A view of the artifact; empty for NULL.
 */
struct touchmark_bytes touchmark_verified_artifact_digest(const struct touchmark_verified_artifact *artifact);

/**
 * The media type of the manifest. A view of the artifact; empty for NULL.
 */
struct touchmark_bytes touchmark_verified_artifact_media_type(const struct touchmark_verified_artifact *artifact);

/**
 * The size of the manifest in bytes; 0 for NULL.
 */
uint64_t touchmark_verified_artifact_size(const struct touchmark_verified_artifact *artifact);

/**
 * The bytes of the manifest, which were verified: what a program goes on with. A view of the artifact; empty for NULL.
 */
struct touchmark_bytes touchmark_verified_artifact_manifest(const struct touchmark_verified_artifact *artifact);

/**
 * The name that was verified, NAME or NAME:VERSION; empty if the policy asks for none. A view of the artifact; empty for NULL.
 */
struct touchmark_bytes touchmark_verified_artifact_name(const struct touchmark_verified_artifact *artifact);

/**
 * All that was found, as JSON: by what it was accepted, which statements counted, which keys, what else was looked at
 * (SPEC.md, "JSON output").
 */
touchmark_status touchmark_verified_artifact_to_json(const struct touchmark_verified_artifact *artifact,
                                                     struct touchmark_buffer **out,
                                                     struct touchmark_error **error);

/**
 * Frees an artifact. NULL is nothing to free.
 */
void touchmark_verified_artifact_free(struct touchmark_verified_artifact *artifact);

/**
 * The bytes. A view of the buffer; empty for NULL.
 */
struct touchmark_bytes touchmark_buffer_bytes(const struct touchmark_buffer *buffer);

/**
 * Frees a buffer, and wipes it if it holds a secret. NULL is nothing to free.
 */
void touchmark_buffer_free(struct touchmark_buffer *buffer);

/**
 * The canonical form of a JSON document: what TUF and in-toto sign (SPEC.md, "Canonical JSON").
 *
 * `TOUCHMARK_STATUS_MALFORMED_JSON` if it is no JSON, or has no canonical form: a number that is no integer, two members of one name.
 */
touchmark_status touchmark_canonical_json(struct touchmark_bytes document,
                                          struct touchmark_buffer **out,
                                          struct touchmark_error **error);

/**
 * The digest of bytes as text: `sha256:` and lower-case hexadecimal.
 */
touchmark_status touchmark_digest(uint32_t digest_algorithm,
                                  struct touchmark_bytes bytes,
                                  struct touchmark_buffer **out,
                                  struct touchmark_error **error);

/**
 * A hasher that has seen nothing.
 */
touchmark_status touchmark_hasher_new(uint32_t digest_algorithm,
                                      struct touchmark_hasher **out,
                                      struct touchmark_error **error);

/**
 * Takes in the next bytes. `TOUCHMARK_STATUS_WRONG_STATE` once it has been finished.
 */
touchmark_status touchmark_hasher_update(struct touchmark_hasher *hasher,
                                         struct touchmark_bytes bytes,
                                         struct touchmark_error **error);

/**
 * The digest of all that was taken in, as text. `TOUCHMARK_STATUS_WRONG_STATE` the second time.
 */
touchmark_status touchmark_hasher_finish(struct touchmark_hasher *hasher,
                                         struct touchmark_buffer **out,
                                         struct touchmark_error **error);

/**
 * Frees a hasher. NULL is nothing to free.
 */
void touchmark_hasher_free(struct touchmark_hasher *hasher);

/**
 * Reads an envelope of at most 64 MiB and 128 signatures.
 *
 * `TOUCHMARK_STATUS_MALFORMED_ENVELOPE` if it is none, `TOUCHMARK_STATUS_TOO_LARGE` beyond that.
 */
touchmark_status touchmark_envelope_parse(struct touchmark_bytes envelope,
                                          struct touchmark_envelope **out,
                                          struct touchmark_error **error);

/**
 * What the payload is said to be. A view of the envelope; empty for NULL.
 */
struct touchmark_bytes touchmark_envelope_payload_type(const struct touchmark_envelope *envelope);

/**
 * The payload, which nothing vouches for: to find out what to verify it by, never to act upon. A view of the envelope; empty for NULL.
 */
struct touchmark_bytes touchmark_envelope_untrusted_payload(const struct touchmark_envelope *envelope);

/**
 * How many signatures it has, valid or not; 0 for NULL.
 */
size_t touchmark_envelope_signature_count(const struct touchmark_envelope *envelope);

/**
 * The key identifier of a signature, a hint that decides nothing; empty if it has none or there is no such signature. A view of the envelope.
 */
struct touchmark_bytes touchmark_envelope_signature_keyid(const struct touchmark_envelope *envelope,
                                                          size_t index);

/**
 * The envelope as JSON.
 */
touchmark_status touchmark_envelope_to_json(const struct touchmark_envelope *envelope,
                                            struct touchmark_buffer **out,
                                            struct touchmark_error **error);

/**
 * Verifies an envelope: so many distinct ones of these keys have signed it (SPEC.md, "Counting"). What the payload means is not looked at.
 *
 * `TOUCHMARK_STATUS_THRESHOLD_NOT_REACHED` if fewer have; `TOUCHMARK_STATUS_INVALID_THRESHOLD` if the threshold is zero or above the number
 * of distinct keys; `TOUCHMARK_STATUS_INVALID_KEY` for an RSA key; `TOUCHMARK_STATUS_UNKNOWN` if it has so many signatures that no key
 * identifier explains that not all of them were tried.
 */
touchmark_status touchmark_envelope_verify(const struct touchmark_envelope *envelope,
                                           const struct touchmark_public_key *const *keys,
                                           size_t count,
                                           size_t threshold,
                                           struct touchmark_verified_envelope **out,
                                           struct touchmark_error **error);

/**
 * Frees an envelope. NULL is nothing to free.
 */
void touchmark_envelope_free(struct touchmark_envelope *envelope);

/**
 * The payload, which the keys have signed. A view of the verified envelope; empty for NULL.
 */
struct touchmark_bytes touchmark_verified_envelope_payload(const struct touchmark_verified_envelope *envelope);

/**
 * What the payload is, which the keys have signed too. A view of the verified envelope; empty for NULL.
 */
struct touchmark_bytes touchmark_verified_envelope_payload_type(const struct touchmark_verified_envelope *envelope);

/**
 * How many of the keys have signed it, at least the threshold; 0 for NULL.
 */
size_t touchmark_verified_envelope_key_count(const struct touchmark_verified_envelope *envelope);

/**
 * The identifier of one of the keys that have signed it, as `touchmark_public_key_id` gives it; empty out of range. A view of the verified
 * envelope.
 */
struct touchmark_bytes touchmark_verified_envelope_key_id(const struct touchmark_verified_envelope *envelope,
                                                          size_t index);

/**
 * Frees a verified envelope. NULL is nothing to free.
 */
void touchmark_verified_envelope_free(struct touchmark_verified_envelope *envelope);

/**
 * The status that the call returned; `TOUCHMARK_STATUS_OK` for NULL.
 */
touchmark_status touchmark_error_status(const struct touchmark_error *error);

/**
 * A stable word for the reason, finer than the status, as in the command line's JSON: `tuf-expired`. A view of the error; empty for NULL.
 */
struct touchmark_bytes touchmark_error_code(const struct touchmark_error *error);

/**
 * What failed, for people, in one line. It may quote what came from outside, without its control characters. A view of the error; empty for NULL.
 */
struct touchmark_bytes touchmark_error_message(const struct touchmark_error *error);

/**
 * The error as a JSON object: `{"status", "code", "message", "hint", "retryable"}`; `hint` is null where there is none. `callback_status`
 * is the status that a function of the caller returned, where that is the reason; `report` is all that was found, where a decision
 * refused. A view of the error; empty for NULL.
 */
struct touchmark_bytes touchmark_error_json(const struct touchmark_error *error);

/**
 * Frees an error. NULL is nothing to free.
 */
void touchmark_error_free(struct touchmark_error *error);

/**
 * The version of the library that is linked: `major << 24 | minor << 12 | patch`. A program compares it with `TOUCHMARK_ABI_VERSION`, that
 * of the header: the major version must be the same and, while that is 0, the minor version too.
 */
uint32_t touchmark_abi_version(void);

/**
 * The version of the library as text, such as `0.1.0`. Always valid.
 */
struct touchmark_bytes touchmark_version(void);

/**
 * The name of a status, such as `NOT_VERIFIED`; empty for a number that is none. Always valid.
 */
struct touchmark_bytes touchmark_status_name(touchmark_status status);

/**
 * What this build has: `TOUCHMARK_FEATURE_...`, added up.
 */
uint32_t touchmark_features(void);

/**
 * Whether a policy accepts a manifest at the time `at`, by these envelopes alone. The artifact that is verified is the one that
 * has exactly these bytes.
 *
 * `TOUCHMARK_STATUS_NOT_VERIFIED` if the envelopes do not suffice, `TOUCHMARK_STATUS_UNSIGNED` if there is none of the wanted kind,
 * `TOUCHMARK_STATUS_UNTRUSTED_METADATA` or `TOUCHMARK_STATUS_EXPIRED_METADATA` if trust metadata decides and must not,
 * `TOUCHMARK_STATUS_MALFORMED` if it is no manifest, `TOUCHMARK_STATUS_UNKNOWN` if it could not be found out. The error's JSON has all the
 * reasons under `report`.
 */
touchmark_status touchmark_verify_manifest(const struct touchmark_policy *policy,
                                           struct touchmark_bytes manifest,
                                           const struct touchmark_bytes *envelopes,
                                           size_t count,
                                           int64_t at,
                                           struct touchmark_verified_artifact **out,
                                           struct touchmark_error **error);

/**
 * Whether a text is a NAME or NAME:VERSION as publishers sign them (SPEC.md, "Names and versions"): `TOUCHMARK_STATUS_INVALID_NAME` if not.
 */
touchmark_status touchmark_name_check(struct touchmark_bytes name,
                                      struct touchmark_error **error);

/**
 * A policy that trusts these keys: signatures by so many distinct ones of them. The same key twice is one.
 *
 * `TOUCHMARK_STATUS_INVALID_THRESHOLD` if the threshold is zero or above the number of distinct keys, so also without a key;
 * `TOUCHMARK_STATUS_INVALID_KEY` for an RSA key.
 */
touchmark_status touchmark_policy_builder_from_keys(const struct touchmark_public_key *const *keys,
                                                    size_t count,
                                                    size_t threshold,
                                                    struct touchmark_policy_builder **out,
                                                    struct touchmark_error **error);

/**
 * A policy that trusts what trust metadata says of a name: entries, seals, and the envelopes of the keys that it lets accept the
 * name's artifacts. The name is the standing's.
 */
touchmark_status touchmark_policy_builder_from_standing(const struct touchmark_standing *standing,
                                                        struct touchmark_policy_builder **out,
                                                        struct touchmark_error **error);

/**
 * Wants this name to have been signed: NAME, NAME:VERSION, or NAME:* for any version. Without it, a policy of keys does not check names.
 *
 * `TOUCHMARK_STATUS_WRONG_STATE` for another name than the standing's, where the policy is by one, and for another than was wanted before.
 */
touchmark_status touchmark_policy_builder_set_name(struct touchmark_policy_builder *builder,
                                                   struct touchmark_bytes wanted,
                                                   struct touchmark_error **error);

/**
 * Wants each counted signature to have this annotation.
 *
 * `TOUCHMARK_STATUS_INVALID_ARGUMENT` if another value is wanted of the same key already: no signature has both.
 */
touchmark_status touchmark_policy_builder_require_annotation(struct touchmark_policy_builder *builder,
                                                             struct touchmark_bytes key,
                                                             struct touchmark_bytes value,
                                                             struct touchmark_error **error);

/**
 * Wants an attestation of this predicate type instead of a signature; called several times, one of each.
 */
touchmark_status touchmark_policy_builder_require_predicate(struct touchmark_policy_builder *builder,
                                                            struct touchmark_bytes predicate_type,
                                                            struct touchmark_error **error);

/**
 * Takes nothing but these, `TOUCHMARK_ACCEPT_...` added up; called several times, what all of the calls have.
 */
touchmark_status touchmark_policy_builder_accept_only(struct touchmark_policy_builder *builder,
                                                      uint32_t kinds,
                                                      struct touchmark_error **error);

/**
 * Wants this role of the trust metadata to decide. Where no trust metadata decides, nothing is accepted.
 *
 * `TOUCHMARK_STATUS_WRONG_STATE` if another role is wanted already: one decides.
 */
touchmark_status touchmark_policy_builder_by_role(struct touchmark_policy_builder *builder,
                                                  struct touchmark_bytes role,
                                                  struct touchmark_error **error);

#if defined(TOUCHMARK_SUPPLY_CHAIN)
/**
 * Wants this in-toto layout to hold for the artifact, by what is attached to it, once everything else does. All of the keys must have
 * signed the layout, which is told when it is verified.
 *
 * `TOUCHMARK_STATUS_INVALID_THRESHOLD` without a key; `TOUCHMARK_STATUS_WRONG_STATE` if a layout is wanted already: a policy has one.
 */
touchmark_status touchmark_policy_builder_require_supply_chain(struct touchmark_policy_builder *builder,
                                                               struct touchmark_bytes layout,
                                                               const struct touchmark_public_key *const *keys,
                                                               size_t count,
                                                               struct touchmark_error **error);
#endif

/**
 * The policy. The builder stays as it is.
 */
touchmark_status touchmark_policy_builder_build(const struct touchmark_policy_builder *builder,
                                                struct touchmark_policy **out,
                                                struct touchmark_error **error);

/**
 * Frees a builder. NULL is nothing to free.
 */
void touchmark_policy_builder_free(struct touchmark_policy_builder *builder);

/**
 * Frees a policy. NULL is nothing to free.
 */
void touchmark_policy_free(struct touchmark_policy *policy);

/**
 * Reads a policy document of at most 1 MiB: `TOUCHMARK_STATUS_MALFORMED_POLICY` if it is none, with the place in the message,
 * and `TOUCHMARK_STATUS_UNSUPPORTED` if it demands an in-toto layout and this library verifies none.
 * `TOUCHMARK_STATUS_INVALID_ARGUMENT` for an origin that is none of `TOUCHMARK_ORIGIN_...`.
 */
touchmark_status touchmark_policy_document_read(struct touchmark_bytes document,
                                                uint32_t origin,
                                                struct touchmark_policy_document **out,
                                                struct touchmark_error **error);

/**
 * What of a document is probably not meant, as a JSON array of `{"level", "at", "code", "message", "hint"}` (SPEC.md, "What is probably not
 * meant"). What it names is not looked at.
 */
touchmark_status touchmark_policy_document_check(const struct touchmark_policy_document *document,
                                                 struct touchmark_buffer **out,
                                                 struct touchmark_error **error);

/**
 * Which rule decides about an artifact at `reference`, in its normal form as `HOST/REPOSITORY:TAG` or `oci:PATH:TAG`, that is wanted as `name`, NAME,
 * NAME:VERSION or NAME:*; either may be empty. The rule is a JSON object, `{"rule", "pattern", "expected_name", "captures", "parameters", "demands"}`
 * (SPEC.md, "Which rule decides"). It says what must hold, and nothing of whether it does.
 *
 * `TOUCHMARK_STATUS_POLICY_REJECTED` if no rule is for it (the code `no-rule`), or it is one that rejects (`policy-rejects`);
 * `TOUCHMARK_STATUS_INVALID_ARGUMENT` if a rule comes first that cannot decide this, as one that expects another name;
 * `TOUCHMARK_STATUS_INVALID_REFERENCE` and `TOUCHMARK_STATUS_INVALID_NAME` for what is no reference in normal form, or no name.
 */
touchmark_status touchmark_policy_document_decide(const struct touchmark_policy_document *document,
                                                  struct touchmark_bytes reference,
                                                  struct touchmark_bytes name,
                                                  struct touchmark_buffer **out,
                                                  struct touchmark_error **error);

/**
 * Frees a policy document. NULL is nothing to free.
 */
void touchmark_policy_document_free(struct touchmark_policy_document *document);

#if defined(TOUCHMARK_IO)
/**
 * Reads the policy file at `path`. Relative paths in it begin at its folder.
 *
 * `TOUCHMARK_STATUS_INVALID_ARGUMENT` for an empty path; `TOUCHMARK_STATUS_NOT_FOUND` and `TOUCHMARK_STATUS_IO_ERROR` if it cannot be read;
 * `TOUCHMARK_STATUS_MALFORMED_POLICY` if it is no policy.
 */
touchmark_status touchmark_policy_file_open(struct touchmark_bytes path,
                                            struct touchmark_policy_file **out,
                                            struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_IO)
/**
 * Whether a policy file accepts what the source's reference names, as it was given to `touchmark_source_open`, as of the time `at`, in seconds
 * since 1970. `name`, a NAME, NAME:VERSION or NAME:*, is the name that is wanted, which rules with `names` are for; empty to leave it to rules with
 * `reference`. `platform`, `linux/amd64` or `linux/arm/v7`, lets an index decide for the one image that it lists for it, where the rule says that it may;
 * empty for what the reference names itself. Where a trust root decides, its repository is asked, kept in the store that the file says or else the user's
 * own, and its own policy must accept the artifact too. A store keeps `at` as the time of its last update, before which nothing is judged later: who asks
 * about the future asks a policy with a store of its own.
 *
 * `TOUCHMARK_STATUS_POLICY_REJECTED` if no rule is for it, or the rule rejects it or lets no index decide; `TOUCHMARK_STATUS_MALFORMED_POLICY` if what
 * the rule names is not there or none; all others as for `touchmark_source_verify` and `touchmark_trust_root_open`. The error's JSON says under
 * `report` which policies and rules were asked.
 */
touchmark_status touchmark_policy_file_verify(const struct touchmark_policy_file *file,
                                              const struct touchmark_source *source,
                                              struct touchmark_bytes name,
                                              struct touchmark_bytes platform,
                                              int64_t at,
                                              struct touchmark_verified_artifact **out,
                                              struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_IO)
/**
 * Frees a policy file. NULL is nothing to free.
 */
void touchmark_policy_file_free(struct touchmark_policy_file *file);
#endif

#if defined(TOUCHMARK_SIGN)
/**
 * A new key by the operating system's random numbers: `TOUCHMARK_KEY_ED25519`, `TOUCHMARK_KEY_ECDSA_P256` or `TOUCHMARK_KEY_ECDSA_P384`.
 *
 * `TOUCHMARK_STATUS_UNSUPPORTED` for `TOUCHMARK_KEY_RSA_PSS`.
 */
touchmark_status touchmark_private_key_generate(uint32_t key_algorithm,
                                                struct touchmark_private_key **out,
                                                struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_SIGN)
/**
 * Reads a private key: PKCS#8, plain or encrypted, or the older `EC PRIVATE KEY`, in PEM or DER. An empty passphrase is none.
 *
 * `TOUCHMARK_STATUS_WRONG_PASSPHRASE` if it is encrypted and the passphrase is none or not the right one; `TOUCHMARK_STATUS_INVALID_KEY` if
 * it is public, or asks for too much work; others as for `touchmark_public_key_read`.
 */
touchmark_status touchmark_private_key_read(struct touchmark_bytes pem_or_der,
                                            struct touchmark_bytes passphrase,
                                            struct touchmark_private_key **out,
                                            struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_SIGN)
/**
 * The key as PEM (PKCS#8), not encrypted: a secret, which is wiped when the buffer is freed.
 */
touchmark_status touchmark_private_key_to_pem(const struct touchmark_private_key *key,
                                              struct touchmark_buffer **out,
                                              struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_SIGN)
/**
 * The key as PEM (PKCS#8), encrypted by a passphrase: `TOUCHMARK_STATUS_INVALID_ARGUMENT` for an empty one.
 */
touchmark_status touchmark_private_key_to_encrypted_pem(const struct touchmark_private_key *key,
                                                        struct touchmark_bytes passphrase,
                                                        struct touchmark_buffer **out,
                                                        struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_SIGN)
/**
 * The public key that belongs to it.
 */
touchmark_status touchmark_private_key_public(const struct touchmark_private_key *key,
                                              struct touchmark_public_key **out,
                                              struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_SIGN)
/**
 * Frees a private key. NULL is nothing to free.
 */
void touchmark_private_key_free(struct touchmark_private_key *key);
#endif

/**
 * Reads a public key: a PEM file with one `PUBLIC KEY` block, or a SubjectPublicKeyInfo in DER (SPEC.md, "Keys and key identifiers").
 *
 * `TOUCHMARK_STATUS_MALFORMED_KEY` if it is damaged or no key; `TOUCHMARK_STATUS_INVALID_KEY` if it is weak or private;
 * `TOUCHMARK_STATUS_UNSUPPORTED` if it is a key of another kind, a certificate and the like; `TOUCHMARK_STATUS_TOO_LARGE` above 64 KiB.
 */
touchmark_status touchmark_public_key_read(struct touchmark_bytes pem_or_der,
                                           struct touchmark_public_key **out,
                                           struct touchmark_error **error);

/**
 * The key with this value: 32 bytes for Ed25519, a point (SEC 1, compressed or not) for ECDSA, an RSAPublicKey in DER (RFC 8017) for RSA.
 * Statuses are those of `touchmark_public_key_read`.
 */
touchmark_status touchmark_public_key_from_raw(uint32_t key_algorithm,
                                               struct touchmark_bytes bytes,
                                               struct touchmark_public_key **out,
                                               struct touchmark_error **error);

/**
 * The key's algorithm, `TOUCHMARK_KEY_...`; 0 for NULL.
 */
uint32_t touchmark_public_key_algorithm(const struct touchmark_public_key *key);

/**
 * The key's value: 32 bytes for Ed25519, the uncompressed point for ECDSA, an RSAPublicKey in DER for RSA. With the algorithm it is the
 * key's identity. A view of the key; empty for NULL.
 */
struct touchmark_bytes touchmark_public_key_raw(const struct touchmark_public_key *key);

/**
 * Touchmark's identifier of the key: the hexadecimal SHA-256 of its SubjectPublicKeyInfo. A view of the key; empty for NULL.
 */
struct touchmark_bytes touchmark_public_key_id(const struct touchmark_public_key *key);

/**
 * The key as a PEM file, as `openssl pkey -pubout` writes it.
 */
touchmark_status touchmark_public_key_to_pem(const struct touchmark_public_key *key,
                                             struct touchmark_buffer **out,
                                             struct touchmark_error **error);

/**
 * Checks a signature over a message: `TOUCHMARK_STATUS_BAD_SIGNATURE` if it is not valid. Raw for Ed25519, DER for ECDSA.
 */
touchmark_status touchmark_public_key_verify(const struct touchmark_public_key *key,
                                             struct touchmark_bytes message,
                                             struct touchmark_bytes signature,
                                             struct touchmark_error **error);

/**
 * Frees a key. NULL is nothing to free.
 */
void touchmark_public_key_free(struct touchmark_public_key *key);

/**
 * Asks whether `policy` accepts the manifest with this digest (`sha256:...`) at the time `at`, in seconds since 1970.
 */
touchmark_status touchmark_request_new(const struct touchmark_policy *policy,
                                       struct touchmark_bytes digest,
                                       int64_t at,
                                       struct touchmark_request **out,
                                       struct touchmark_error **error);

/**
 * Lets the signatures of this index decide, which must list the artifact.
 *
 * `TOUCHMARK_STATUS_WRONG_STATE` if an index or a platform was named before.
 */
touchmark_status touchmark_request_covered_by(struct touchmark_request *request,
                                              struct touchmark_bytes index_digest,
                                              struct touchmark_error **error);

/**
 * The artifact is an index: lets its signatures decide for the one image that it lists for this platform, `linux/amd64` or
 * `linux/arm/v7`. What is verified is that image.
 *
 * `TOUCHMARK_STATUS_WRONG_STATE` if an index or a platform was named before.
 */
touchmark_status touchmark_request_platform(struct touchmark_request *request,
                                            struct touchmark_bytes os_arch,
                                            struct touchmark_error **error);

/**
 * Takes these envelopes as the only evidence: no referrers are asked for. They are copied. Called again, these alone.
 */
touchmark_status touchmark_request_envelopes(struct touchmark_request *request,
                                             const struct touchmark_bytes *envelopes,
                                             size_t count,
                                             struct touchmark_error **error);

/**
 * Also has every manifest and blob below the artifact hashed.
 */
touchmark_status touchmark_request_deep(struct touchmark_request *request, struct touchmark_error **error);

/**
 * Frees a request. NULL is nothing to free.
 */
void touchmark_request_free(struct touchmark_request *request);

/**
 * Begins to decide a request, which stays as it is.
 */
touchmark_status touchmark_search_new(const struct touchmark_request *request,
                                      struct touchmark_search **out,
                                      struct touchmark_error **error);

/**
 * What it needs next. Asked again without an answer, it says the same again.
 */
touchmark_status touchmark_search_next(struct touchmark_search *search,
                                       struct touchmark_need *out,
                                       struct touchmark_error **error);

/**
 * Gives the bytes of the manifest or the blob that was asked for. They are hashed here: other bytes, or too many, are no error of this
 * call but something that the decision takes in.
 *
 * `TOUCHMARK_STATUS_WRONG_STATE` if something else was asked for, or nothing.
 */
touchmark_status touchmark_search_provide_bytes(struct touchmark_search *search,
                                                struct touchmark_bytes bytes,
                                                struct touchmark_error **error);

/**
 * Gives the digest and the size of the blob that was asked for, which the caller computed from all of its bytes.
 *
 * `TOUCHMARK_STATUS_WRONG_STATE` if something else was asked for, or nothing.
 */
touchmark_status touchmark_search_provide_hash(struct touchmark_search *search,
                                               struct touchmark_bytes digest,
                                               uint64_t size,
                                               struct touchmark_error **error);

/**
 * Gives the referrers that were asked for, as an OCI image index, which is what the referrers API of registries answers. `complete`: 1 if
 * these are all that were asked for. `more`: 1 if a thorough question may find others. Entries that are malformed are left out; a list
 * that is none at all is no error of this call but one that could not be had.
 *
 * `TOUCHMARK_STATUS_WRONG_STATE` if something else was asked for, or nothing; `TOUCHMARK_STATUS_INVALID_ARGUMENT` if one of the two is
 * neither 0 nor 1.
 */
touchmark_status touchmark_search_provide_referrers(struct touchmark_search *search,
                                                    struct touchmark_bytes index_json,
                                                    uint32_t complete,
                                                    uint32_t more,
                                                    struct touchmark_error **error);

/**
 * Says why what was asked for is not to be had: `TOUCHMARK_FAILURE_...`, and in words, which may be none.
 *
 * `TOUCHMARK_STATUS_WRONG_STATE` if nothing was asked for; `TOUCHMARK_STATUS_INVALID_ARGUMENT` for another number.
 */
touchmark_status touchmark_search_provide_failure(struct touchmark_search *search,
                                                  uint32_t failure,
                                                  struct touchmark_bytes message,
                                                  struct touchmark_error **error);

/**
 * The verdict: the artifact, verified; or as for `touchmark_verify_manifest` why not, with all the reasons in the error's JSON.
 *
 * `TOUCHMARK_STATUS_WRONG_STATE` before it has decided, and the second time.
 */
touchmark_status touchmark_search_finish(struct touchmark_search *search,
                                         struct touchmark_verified_artifact **out,
                                         struct touchmark_error **error);

/**
 * Frees a search, wherever it stands. NULL is nothing to free.
 */
void touchmark_search_free(struct touchmark_search *search);

#if defined(TOUCHMARK_SIGN)
/**
 * Signs a payload with each of the signers, once with each key.
 *
 * `TOUCHMARK_STATUS_CALLBACK_FAILED` if a function of the caller does not sign, with its status in the error's JSON;
 * `TOUCHMARK_STATUS_BAD_SIGNATURE` if what it gives is no signature by its key; `TOUCHMARK_STATUS_TOO_LARGE` for an envelope that no
 * verifier would read; `TOUCHMARK_STATUS_INVALID_ARGUMENT` without a signer or a payload type.
 */
touchmark_status touchmark_envelope_sign(struct touchmark_bytes payload_type,
                                         struct touchmark_bytes payload,
                                         const struct touchmark_signer *const *with,
                                         size_t count,
                                         struct touchmark_envelope **out,
                                         struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_SIGN)
/**
 * The same envelope with one more signature, over the same payload; the same signatures if the key has signed it already. Nothing of the
 * payload is looked at: a program that signs what others made reads it first. Statuses are those of `touchmark_envelope_sign`.
 */
touchmark_status touchmark_envelope_add_signature(const struct touchmark_envelope *envelope,
                                                  const struct touchmark_signer *with,
                                                  struct touchmark_envelope **out,
                                                  struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_SIGN)
/**
 * Signs a manifest: an envelope over Touchmark's statement about it (SPEC.md, "Statements and the signature predicate").
 *
 * `media_type` is empty, or what the manifest itself says. `name` is empty, or the NAME or NAME:VERSION that the signer gives it.
 * `issued` is now; from `expires` on the signature does not count, 0 for never.
 *
 * `TOUCHMARK_STATUS_MALFORMED` if it is no manifest; `TOUCHMARK_STATUS_INVALID_ARGUMENT` for another media type than the manifest's, a key
 * of an annotation twice, or more than 256 of them; `TOUCHMARK_STATUS_INVALID_TIME` if it would expire before it was issued; others as for
 * `touchmark_envelope_sign`.
 */
touchmark_status touchmark_sign_manifest(struct touchmark_bytes manifest,
                                         struct touchmark_bytes media_type,
                                         struct touchmark_bytes name,
                                         const struct touchmark_pair *annotations,
                                         size_t annotation_count,
                                         int64_t issued,
                                         int64_t expires,
                                         const struct touchmark_signer *const *with,
                                         size_t count,
                                         struct touchmark_envelope **out,
                                         struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_SIGN)
/**
 * A signer by a private key, which may be freed before.
 */
touchmark_status touchmark_signer_from_key(const struct touchmark_private_key *key,
                                           struct touchmark_signer **out,
                                           struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_SIGN)
/**
 * A signer by a function of the caller, such as one that asks a hardware token or a server. What it gives is verified with `key` before it
 * is used: `TOUCHMARK_STATUS_BAD_SIGNATURE` where it is not valid. `userdata` is handed to each call, and must outlive the signer.
 *
 * `TOUCHMARK_STATUS_UNSUPPORTED` for an RSA key.
 */
touchmark_status touchmark_signer_from_callback(const struct touchmark_public_key *key,
                                                touchmark_sign_fn sign,
                                                void *userdata,
                                                struct touchmark_signer **out,
                                                struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_SIGN)
/**
 * Frees a signer. NULL is nothing to free.
 */
void touchmark_signer_free(struct touchmark_signer *signer);
#endif

/**
 * Appends bytes. `TOUCHMARK_STATUS_TOO_LARGE` once there are more than were asked for: nothing of what was given is then used, and the
 * function should return that status.
 */
touchmark_status touchmark_sink_append(struct touchmark_sink *sink,
                                       struct touchmark_bytes bytes);

/**
 * Says why the function fails, in the caller's words; it then returns another status than `TOUCHMARK_STATUS_OK`. The last message counts.
 */
touchmark_status touchmark_sink_fail(struct touchmark_sink *sink,
                                     struct touchmark_bytes message);

#if defined(TOUCHMARK_IO)
/**
 * Opens the OCI layout that a reference names: a folder as `oci:PATH[:TAG][@DIGEST]`, a tar as `oci-archive:FILE[:TAG][@DIGEST]`
 * (SPEC.md, "References"). Without a tag and a digest it is the only artifact there. Paths are UTF-8; a relative one begins at the working
 * directory.
 *
 * `TOUCHMARK_STATUS_INVALID_REFERENCE` for what is no reference; `TOUCHMARK_STATUS_UNSUPPORTED` for one of a registry, which this library does not ask;
 * `TOUCHMARK_STATUS_NOT_FOUND` if nothing is there, `TOUCHMARK_STATUS_MALFORMED` if it is no OCI layout, `TOUCHMARK_STATUS_IO_ERROR` if it
 * cannot be read.
 */
touchmark_status touchmark_source_open(struct touchmark_bytes reference,
                                       struct touchmark_source **out,
                                       struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_IO)
/**
 * The digest of what the reference names, `sha256:...`. Whoever is given a tag goes on with this.
 *
 * `TOUCHMARK_STATUS_NOT_FOUND` if there is no such artifact; `TOUCHMARK_STATUS_INVALID_ARGUMENT` if there are several and the reference does not
 * say which; `TOUCHMARK_STATUS_MALFORMED` and `TOUCHMARK_STATUS_IO_ERROR` if the place cannot be read.
 */
touchmark_status touchmark_source_digest(const struct touchmark_source *source,
                                         struct touchmark_buffer **out,
                                         struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_IO)
/**
 * The bytes of the manifest that the reference names, of at most 4 MiB. They have its digest, and nobody has vouched for them yet.
 * Statuses are those of `touchmark_source_digest`, and `TOUCHMARK_STATUS_TOO_LARGE`.
 */
touchmark_status touchmark_source_manifest(const struct touchmark_source *source,
                                           struct touchmark_buffer **out,
                                           struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_IO)
/**
 * Whether a policy accepts what the reference names, by the signatures that are attached to it there, as of the time `at`, in seconds
 * since 1970. Statuses are those of `touchmark_verify_manifest`; a reference that leads to nothing is `TOUCHMARK_STATUS_UNKNOWN`, and so is a
 * place whose manifest is gone once it was verified.
 */
touchmark_status touchmark_source_verify(const struct touchmark_source *source,
                                         const struct touchmark_policy *policy,
                                         int64_t at,
                                         struct touchmark_verified_artifact **out,
                                         struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_IO)
/**
 * Decides a request by what is in the source. Of which artifact it is, the request says; the tag and the digest of the reference are not
 * looked at. Statuses are those of `touchmark_verify_manifest`.
 */
touchmark_status touchmark_source_verify_request(const struct touchmark_source *source,
                                                 const struct touchmark_request *request,
                                                 struct touchmark_verified_artifact **out,
                                                 struct touchmark_error **error);
#endif

#if (defined(TOUCHMARK_IO) && defined(TOUCHMARK_SIGN))
/**
 * Attaches envelopes to what the reference names, in a folder: each must be a well-formed statement about it, and who signed it is not looked
 * at. Those that are there already are not written again.
 *
 * `TOUCHMARK_STATUS_INVALID_ARGUMENT` for an envelope about something else, and `TOUCHMARK_STATUS_MALFORMED` for one that is no statement: then
 * none is attached. `TOUCHMARK_STATUS_UNSUPPORTED` for a tar; `TOUCHMARK_STATUS_IO_ERROR` if the folder cannot be written.
 */
touchmark_status touchmark_source_attach(const struct touchmark_source *source,
                                         const struct touchmark_envelope *const *envelopes,
                                         size_t count,
                                         struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_IO)
/**
 * Frees a source. NULL is nothing to free.
 */
void touchmark_source_free(struct touchmark_source *source);
#endif

/**
 * The standing as JSON: `{"name", "at", "expires", "metadata"}`, the last being the documents that it rests on, `[{"role", "version", "expires"}]`.
 */
touchmark_status touchmark_standing_to_json(const struct touchmark_standing *standing,
                                            struct touchmark_buffer **out,
                                            struct touchmark_error **error);

/**
 * When the first of the documents that it rests on expires, in seconds since 1970: from then on nothing is accepted by it. 0 for NULL.
 */
int64_t touchmark_standing_expires(const struct touchmark_standing *standing);

/**
 * Frees a standing. Policies that were made by it stay. NULL is nothing to free.
 */
void touchmark_standing_free(struct touchmark_standing *standing);

#if defined(TOUCHMARK_SUPPLY_CHAIN)
/**
 * Begins to verify an in-toto layout, which every one of the keys must have signed, as of the time `at`, in seconds since 1970. `parameters` are
 * the values of the layout's parameters; there may be none. What is wrong with the layout is told at the end, like everything else.
 *
 * `TOUCHMARK_STATUS_INVALID_ARGUMENT` for a parameter that can be none, or is there twice.
 */
touchmark_status touchmark_supply_chain_new(struct touchmark_bytes layout,
                                            const struct touchmark_public_key *const *keys,
                                            size_t count,
                                            const struct touchmark_pair *parameters,
                                            size_t parameter_count,
                                            int64_t at,
                                            struct touchmark_supply_chain **out,
                                            struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_SUPPLY_CHAIN)
/**
 * What it needs next. Asked again without an answer, it says the same again.
 */
touchmark_status touchmark_supply_chain_next(struct touchmark_supply_chain *chain,
                                             struct touchmark_supply_chain_need *out,
                                             struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_SUPPLY_CHAIN)
/**
 * Gives the bytes of the file that was asked for. That they are no link, or too many, is no error of this call but something that the
 * verification takes in.
 *
 * `TOUCHMARK_STATUS_WRONG_STATE` if something else was asked for, or nothing.
 */
touchmark_status touchmark_supply_chain_provide_bytes(struct touchmark_supply_chain *chain,
                                                      struct touchmark_bytes bytes,
                                                      struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_SUPPLY_CHAIN)
/**
 * Says that there is no such file or folder, or that the inspection is not run.
 *
 * `TOUCHMARK_STATUS_WRONG_STATE` if nothing was asked for.
 */
touchmark_status touchmark_supply_chain_provide_absent(struct touchmark_supply_chain *chain,
                                                       struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_SUPPLY_CHAIN)
/**
 * Gives the names of files that were asked for, without their folder. Those that are none of links are ignored, also because they are not
 * UTF-8. `complete`: 1 if these are all.
 *
 * `TOUCHMARK_STATUS_WRONG_STATE` if something else was asked for, or nothing; `TOUCHMARK_STATUS_INVALID_ARGUMENT` if `complete` is neither 0 nor 1.
 */
touchmark_status touchmark_supply_chain_provide_names(struct touchmark_supply_chain *chain,
                                                      const struct touchmark_bytes *names,
                                                      size_t count,
                                                      uint32_t complete,
                                                      struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_SUPPLY_CHAIN)
/**
 * Says why what was asked for is not to be had: `TOUCHMARK_FAILURE_...`, and in words, which may be none. `TOUCHMARK_FAILURE_NOT_FOUND` is as
 * `touchmark_supply_chain_provide_absent`.
 *
 * `TOUCHMARK_STATUS_WRONG_STATE` if nothing was asked for; `TOUCHMARK_STATUS_INVALID_ARGUMENT` for another number.
 */
touchmark_status touchmark_supply_chain_provide_failure(struct touchmark_supply_chain *chain,
                                                        uint32_t failure,
                                                        struct touchmark_bytes message,
                                                        struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_SUPPLY_CHAIN)
/**
 * The verdict: the supply chain, verified; or why not, with all that was found in the error's JSON under `report`.
 *
 * `TOUCHMARK_STATUS_SUPPLY_CHAIN_NOT_VERIFIED` if there is not the evidence that the layout asks for; `TOUCHMARK_STATUS_UNTRUSTED_METADATA` if the
 * layout is not signed by every key, is malformed or has expired; `TOUCHMARK_STATUS_INVALID_ARGUMENT` without a key, or if the parameters do
 * not go with the layout; `TOUCHMARK_STATUS_UNKNOWN` if it could not be found out. `TOUCHMARK_STATUS_WRONG_STATE` before all is decided, and
 * the second time.
 */
touchmark_status touchmark_supply_chain_finish(struct touchmark_supply_chain *chain,
                                               struct touchmark_verified_supply_chain **out,
                                               struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_SUPPLY_CHAIN)
/**
 * Frees a verification, wherever it stands. NULL is nothing to free.
 */
void touchmark_supply_chain_free(struct touchmark_supply_chain *chain);
#endif

#if defined(TOUCHMARK_SUPPLY_CHAIN)
/**
 * What was found, as JSON: the report of SPEC.md, "The report", step by step and with the rule that consumed each artifact.
 */
touchmark_status touchmark_verified_supply_chain_to_json(const struct touchmark_verified_supply_chain *chain,
                                                         struct touchmark_buffer **out,
                                                         struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_SUPPLY_CHAIN)
/**
 * Frees a supply chain. NULL is nothing to free.
 */
void touchmark_verified_supply_chain_free(struct touchmark_verified_supply_chain *chain);
#endif

#if defined(TOUCHMARK_IO)
/**
 * Verifies an in-toto layout, which every one of the keys must have signed, against the links in a folder, as of the time `at`, in seconds since
 * 1970. No command is run: an inspection that nobody has signed is not verified. Links of the file system are not followed.
 *
 * Statuses are those of `touchmark_supply_chain_new` and `touchmark_supply_chain_finish`; `TOUCHMARK_STATUS_INVALID_ARGUMENT` for an empty path,
 * `TOUCHMARK_STATUS_NOT_FOUND` and `TOUCHMARK_STATUS_IO_ERROR` if the folder is not there or cannot be read.
 */
touchmark_status touchmark_supply_chain_verify_folder(struct touchmark_bytes layout,
                                                      const struct touchmark_public_key *const *keys,
                                                      size_t count,
                                                      struct touchmark_bytes links_folder,
                                                      const struct touchmark_pair *parameters,
                                                      size_t parameter_count,
                                                      int64_t at,
                                                      struct touchmark_verified_supply_chain **out,
                                                      struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_IO)
/**
 * Brings the metadata that `root`, a root.json that the caller trusts, leads to up to what the folder `metadata_folder` has, as of the time
 * `at`, in seconds since 1970. What is accepted is kept in `store_folder`, which is made if it is not there, so that nothing older is accepted
 * later; and so is `at`, before which nothing is judged later. Files of targets are in `targets` beside a folder that is called `metadata`, else below
 * it. If the folder cannot be read, what the store has is taken until it expires, and a note says so.
 *
 * `TOUCHMARK_STATUS_UNTRUSTED_METADATA`, `TOUCHMARK_STATUS_EXPIRED_METADATA` and `TOUCHMARK_STATUS_ROLLBACK` for what is not to be trusted;
 * `TOUCHMARK_STATUS_UNKNOWN` for what could not be had; `TOUCHMARK_STATUS_IO_ERROR` if the store cannot be written or is in use;
 * `TOUCHMARK_STATUS_INVALID_ARGUMENT` for an empty path, and for a store that began with another root.
 */
touchmark_status touchmark_trust_root_open(struct touchmark_bytes root,
                                           struct touchmark_bytes metadata_folder,
                                           struct touchmark_bytes store_folder,
                                           int64_t at,
                                           struct touchmark_trust_root **out,
                                           struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_IO)
/**
 * As `touchmark_trust_root_open`, with metadata that a function of the caller fetches, and so targets, where `fetch_target` is not NULL. A
 * function that fails is as a place that cannot be reached: what the store has is taken until it expires, and otherwise the call is
 * `TOUCHMARK_STATUS_UNKNOWN`, with what `touchmark_sink_fail` said in the message and the function's status as `callback_status` in the JSON. The functions
 * and `userdata` are used until the trust root is freed; those who fetch must not use it themselves.
 */
touchmark_status touchmark_trust_root_open_with(struct touchmark_bytes root,
                                                touchmark_fetch_fn fetch_metadata,
                                                touchmark_fetch_fn fetch_target,
                                                void *userdata,
                                                struct touchmark_bytes store_folder,
                                                int64_t at,
                                                struct touchmark_trust_root **out,
                                                struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_IO)
/**
 * Whether the trust root accepts what the source's reference names under `name`, a NAME, NAME:VERSION or NAME:*, as of the time `at`, in seconds
 * since 1970, or that of which the metadata was verified if it is later: by entries, seals or the signatures of those whom the metadata lets sign for it,
 * and by the policy that the repository signs itself, where it has one (`_touchmark/policy.json`; SPEC.md, "The policy that a trust repository signs").
 * `platform`, `linux/amd64` or `linux/arm/v7`, lets an index decide for the one image that it lists for it; empty for what the reference names itself.
 *
 * `TOUCHMARK_STATUS_INVALID_NAME` and `TOUCHMARK_STATUS_INVALID_ARGUMENT` for a name and a platform that are none; `TOUCHMARK_STATUS_POLICY_REJECTED` if the
 * repository's own policy has no rule for the name, or one that rejects it or lets no index decide; all others as for `touchmark_source_verify` and
 * `touchmark_trust_root_open`. The error's JSON says under `report` which policy and rule were asked.
 */
touchmark_status touchmark_trust_root_verify(struct touchmark_trust_root *trust_root,
                                             const struct touchmark_source *source,
                                             struct touchmark_bytes name,
                                             struct touchmark_bytes platform,
                                             int64_t at,
                                             struct touchmark_verified_artifact **out,
                                             struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_IO)
/**
 * What the metadata says of a NAME or NAME:VERSION, for `touchmark_policy_builder_from_standing`, and no more than that: the policy that the
 * repository signs itself is asked by `touchmark_trust_root_verify`. Statuses are those of `touchmark_tuf_client_standing` and
 * `touchmark_trust_root_open`.
 */
touchmark_status touchmark_trust_root_standing(struct touchmark_trust_root *trust_root,
                                               struct touchmark_bytes name,
                                               struct touchmark_standing **out,
                                               struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_IO)
/**
 * The bytes of a file that the top-level targets role lists, such as `_touchmark/policy.json`; they are what is listed. At most 16 MiB.
 *
 * `TOUCHMARK_STATUS_NOT_FOUND` if it lists no such file, which is certain; `TOUCHMARK_STATUS_NOT_VERIFIED` if what is there is something else;
 * `TOUCHMARK_STATUS_UNKNOWN` if it could not be had; `TOUCHMARK_STATUS_TOO_LARGE` if it is listed as larger; `TOUCHMARK_STATUS_INVALID_NAME` for what
 * is no path of a target.
 */
touchmark_status touchmark_trust_root_target(struct touchmark_trust_root *trust_root,
                                             struct touchmark_bytes path,
                                             struct touchmark_buffer **out,
                                             struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_IO)
/**
 * What a user should know of how the metadata came to be trusted, as a JSON array of texts: that there was no history before, since when it was
 * not refreshed, that the clock is behind.
 */
touchmark_status touchmark_trust_root_notes_json(const struct touchmark_trust_root *trust_root,
                                                 struct touchmark_buffer **out,
                                                 struct touchmark_error **error);
#endif

#if defined(TOUCHMARK_IO)
/**
 * Frees a trust root, and lets others use its store. NULL is nothing to free.
 */
void touchmark_trust_root_free(struct touchmark_trust_root *trust_root);
#endif

/**
 * A client that begins an update as of the time `at`, in seconds since 1970. `offline`: 0, or 1 to take what the store has, which is verified
 * again and must not have expired, and to fetch and store nothing.
 */
touchmark_status touchmark_tuf_client_new(uint32_t offline,
                                          int64_t at,
                                          struct touchmark_tuf_client **out,
                                          struct touchmark_error **error);

/**
 * What is to be done next. Asked again without an answer, it says the same again.
 *
 * What ends an update stays its end: `TOUCHMARK_STATUS_UNTRUSTED_METADATA`, `TOUCHMARK_STATUS_EXPIRED_METADATA` and
 * `TOUCHMARK_STATUS_ROLLBACK` for metadata that is not to be trusted, `TOUCHMARK_STATUS_UNKNOWN` where something was not to be had or a limit was
 * reached. What was verified before is in the store, where a new client goes on. After a search that ended so another may begin.
 */
touchmark_status touchmark_tuf_client_next(struct touchmark_tuf_client *client,
                                           struct touchmark_tuf_step *out,
                                           struct touchmark_error **error);

/**
 * Gives the bytes of the file that was asked for. That they are others, or too many, is no error of this call but something that the client
 * takes in.
 *
 * `TOUCHMARK_STATUS_WRONG_STATE` if something else was asked for, or nothing.
 */
touchmark_status touchmark_tuf_client_provide_bytes(struct touchmark_tuf_client *client,
                                                    struct touchmark_bytes bytes,
                                                    struct touchmark_error **error);

/**
 * Says that there surely is no such file as was asked for.
 *
 * `TOUCHMARK_STATUS_WRONG_STATE` if something else was asked for, or nothing.
 */
touchmark_status touchmark_tuf_client_provide_absent(struct touchmark_tuf_client *client,
                                                     struct touchmark_error **error);

/**
 * Says that what was to be stored is stored, or what was to be removed is not there any more.
 *
 * `TOUCHMARK_STATUS_WRONG_STATE` if something else was asked for, or nothing.
 */
touchmark_status touchmark_tuf_client_provide_done(struct touchmark_tuf_client *client, struct touchmark_error **error);

/**
 * Says why the step could not be done: `TOUCHMARK_FAILURE_...`, and in words, which may be none. `TOUCHMARK_FAILURE_NOT_FOUND` of a file that was
 * asked for is as `touchmark_tuf_client_provide_absent`.
 *
 * `TOUCHMARK_STATUS_WRONG_STATE` if nothing was asked for; `TOUCHMARK_STATUS_INVALID_ARGUMENT` for another number.
 */
touchmark_status touchmark_tuf_client_provide_failure(struct touchmark_tuf_client *client,
                                                      uint32_t failure,
                                                      struct touchmark_bytes message,
                                                      struct touchmark_error **error);

/**
 * Begins to search for a target, whose steps `touchmark_tuf_client_next` then says. A search that was under way is given up.
 *
 * `TOUCHMARK_STATUS_WRONG_STATE` before the update is done; `TOUCHMARK_STATUS_INVALID_NAME` for what is no path of a target; what ends the search
 * at once as for `touchmark_tuf_client_next`.
 */
touchmark_status touchmark_tuf_client_look_up(struct touchmark_tuf_client *client,
                                              struct touchmark_bytes target_path,
                                              struct touchmark_error **error);

/**
 * The target that was searched for, once its steps are done. It may be asked for again.
 *
 * `TOUCHMARK_STATUS_NOT_FOUND` if no role lists it, which is certain; `TOUCHMARK_STATUS_WRONG_STATE` if no search has come to its end.
 */
touchmark_status touchmark_tuf_client_found(struct touchmark_tuf_client *client,
                                            struct touchmark_tuf_target **out,
                                            struct touchmark_error **error);

/**
 * What the metadata says of a NAME or NAME:VERSION, once a search for that is done: what `touchmark_policy_builder_from_standing` takes. A name
 * that no role lists has one too.
 *
 * `TOUCHMARK_STATUS_WRONG_STATE` if the last search was for something else or has not come to its end; `TOUCHMARK_STATUS_INVALID_NAME` for
 * what is no name; `TOUCHMARK_STATUS_UNTRUSTED_METADATA` if what is Touchmark's in the metadata is malformed or contradicts itself;
 * `TOUCHMARK_STATUS_UNKNOWN` if some of it is not there any more.
 */
touchmark_status touchmark_tuf_client_standing(struct touchmark_tuf_client *client,
                                               struct touchmark_bytes name,
                                               struct touchmark_standing **out,
                                               struct touchmark_error **error);

/**
 * What is trusted so far, as JSON: `{"at", "root", "timestamp", "snapshot", "targets"}`, each role `{"version", "expires"}` or null.
 */
touchmark_status touchmark_tuf_client_state_json(const struct touchmark_tuf_client *client,
                                                 struct touchmark_buffer **out,
                                                 struct touchmark_error **error);

/**
 * Frees a client, wherever it stands. NULL is nothing to free.
 */
void touchmark_tuf_client_free(struct touchmark_tuf_client *client);

/**
 * Does the steps of an update, or of a search, by these functions, until it is done: after `touchmark_tuf_client_new` for the update, after each
 * `touchmark_tuf_client_look_up` for the search. `callbacks` is read during the call and not kept.
 *
 * Its failures are those of `touchmark_tuf_client_next`. A file of the repository that `fetch` does not get is one that could not be had
 * (`TOUCHMARK_STATUS_UNKNOWN`, retryable). A file of the store that `load`, `store` or `remove` fails for is `TOUCHMARK_STATUS_CALLBACK_FAILED`. In both
 * cases the error's message has what `touchmark_sink_fail` said, and its JSON the function's status as `callback_status`.
 * `TOUCHMARK_STATUS_INVALID_ARGUMENT` if `struct_size` is not that of any version; `TOUCHMARK_STATUS_UNSUPPORTED` if it has members that this
 * library does not know.
 */
touchmark_status touchmark_tuf_client_drive(struct touchmark_tuf_client *client,
                                            const struct touchmark_tuf_callbacks *callbacks,
                                            struct touchmark_error **error);

/**
 * Its length in bytes; 0 for NULL.
 */
uint64_t touchmark_tuf_target_length(const struct touchmark_tuf_target *target);

/**
 * The role that lists it. A view of the target; empty for NULL.
 */
struct touchmark_bytes touchmark_tuf_target_role(const struct touchmark_tuf_target *target);

/**
 * Where its file is below the URL of the targets: segments, percent-encoded, with slashes between them; with consistent snapshots the name of
 * the file begins with its first digest.
 */
touchmark_status touchmark_tuf_target_fetch_path(const struct touchmark_tuf_target *target,
                                                 struct touchmark_buffer **out,
                                                 struct touchmark_error **error);

/**
 * Whether these are its bytes, by the length and every digest that is listed: `TOUCHMARK_STATUS_NOT_VERIFIED` if not.
 */
touchmark_status touchmark_tuf_target_check(const struct touchmark_tuf_target *target,
                                            struct touchmark_bytes bytes,
                                            struct touchmark_error **error);

/**
 * The target as JSON: `{"target", "role", "length", "hashes"}`, the hashes in hexadecimal by their algorithms.
 */
touchmark_status touchmark_tuf_target_to_json(const struct touchmark_tuf_target *target,
                                              struct touchmark_buffer **out,
                                              struct touchmark_error **error);

/**
 * Frees a target. NULL is nothing to free.
 */
void touchmark_tuf_target_free(struct touchmark_tuf_target *target);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* TOUCHMARK_H */
