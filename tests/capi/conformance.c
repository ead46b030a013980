/* What functions give, in their ordinary use and for the failures that the header names. That each answers at all, and what it leaves in its
   out-parameters, is for sweep.c.

     conformance DATA */
#include "conformance.h"

#define WITH_A_LAYOUT "{\"version\":1,\"rules\":[{\"names\":\"acme/x\",\"keys\":\"acme.pub\",\"in_toto\":{\"layout\":\"root.layout\",\"keys\":\"owner.pub\"}}]}"

touchmark_error *error;

void gives(touchmark_status expected, const char *name, touchmark_status status, const char *file, int line, const char *what) {
    touchmark_bytes is = touchmark_status_name(status);
    if (status != expected) {
        fprintf(stderr, "%s:%d: %s: %.*s where %s was expected\n", file, line, what, (int)is.len, (const char *)is.ptr, name);
        if (error != NULL) fprintf(stderr, "%.*s\n", (int)touchmark_error_json(error).len, (const char *)touchmark_error_json(error).ptr);
        exit(1);
    }
    CHECK(is_text(is, name));
    touchmark_error_free(error);
    error = NULL;
}

int same(touchmark_bytes a, touchmark_bytes b) { return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0); }

int contains(touchmark_bytes bytes, const char *part) {
    size_t i, length = strlen(part);
    for (i = 0; i + length <= bytes.len; i++) if (memcmp(bytes.ptr + i, part, length) == 0) return 1;
    return 0;
}

void *of(const char *type, unsigned variety) { return types[type_number(type)].make(variety); }

static void library(void) {
    char version[32];
    sprintf(version, "%d.%d.%d", TOUCHMARK_VERSION_MAJOR, TOUCHMARK_VERSION_MINOR, TOUCHMARK_VERSION_PATCH);
    CHECK(strcmp(version, TOUCHMARK_VERSION) == 0);
    CHECK(is_text(touchmark_version(), TOUCHMARK_VERSION));
    CHECK(touchmark_abi_version() == TOUCHMARK_ABI_VERSION);
    CHECK(TOUCHMARK_ABI_VERSION == ((uint32_t)TOUCHMARK_VERSION_MAJOR << 24 | (uint32_t)TOUCHMARK_VERSION_MINOR << 12 | (uint32_t)TOUCHMARK_VERSION_PATCH));
    CHECK(is_text(touchmark_status_name(TOUCHMARK_STATUS_OK), "OK"));
    CHECK(touchmark_status_name(1).len == 0 && touchmark_status_name(UINT32_MAX).len == 0);
#ifdef TOUCHMARK_SIGN
    CHECK(touchmark_features() & TOUCHMARK_FEATURE_SIGN);
#else
    CHECK(!(touchmark_features() & TOUCHMARK_FEATURE_SIGN));
#endif
#ifdef TOUCHMARK_IO
    CHECK(touchmark_features() & TOUCHMARK_FEATURE_IO);
#else
    CHECK(!(touchmark_features() & TOUCHMARK_FEATURE_IO));
#endif
#ifdef TOUCHMARK_SUPPLY_CHAIN
    CHECK(touchmark_features() & TOUCHMARK_FEATURE_SUPPLY_CHAIN);
#else
    CHECK(!(touchmark_features() & TOUCHMARK_FEATURE_SUPPLY_CHAIN));
#endif
}

static void errors(void) {
    touchmark_bytes json;
    touchmark_error *first = NULL;
    CHECK(touchmark_name_check(text("No Name"), &first) == TOUCHMARK_STATUS_INVALID_NAME);
    json = touchmark_error_json(first);
    CHECK(touchmark_error_status(first) == TOUCHMARK_STATUS_INVALID_NAME);
    CHECK(is_json(json) && contains(json, "\"status\"") && contains(json, "\"code\"") && contains(json, "\"message\""));
    /* Asked again it is the same view: it belongs to the error. */
    CHECK(json.ptr == touchmark_error_json(first).ptr);
    touchmark_error_free(first);
    CHECK(touchmark_error_status(NULL) == TOUCHMARK_STATUS_OK || touchmark_status_name(touchmark_error_status(NULL)).len > 0);
    CHECK(touchmark_error_json(NULL).len == 0 && touchmark_error_code(NULL).len == 0 && touchmark_error_message(NULL).len == 0);
    /* What is quoted of the caller's bytes leaves the JSON valid. */
    CHECK(touchmark_name_check(text("a/\"\\\x01\n\x7f"), &first) != TOUCHMARK_STATUS_OK);
    CHECK(is_json(touchmark_error_json(first)));
    touchmark_error_free(first);
    /* An error of before is not freed by the next call, and not kept. */
    first = (touchmark_error *)(uintptr_t)1;
    OK(touchmark_name_check(text("acme/x"), &first));
    CHECK(first == NULL);
}

static void documents_and_digests(void) {
    touchmark_buffer *out = NULL;
    touchmark_hasher *hasher = NULL;
    size_t i;
    OK(touchmark_canonical_json(bytes_named("json"), &out, &error));
    CHECK(is_text(touchmark_buffer_bytes(out), "{\"a\":null,\"b\":[1,{\"a\":\"\xc3\xa9\"}]}"));
    touchmark_buffer_free(out);
    GIVES(MALFORMED_JSON, touchmark_canonical_json(text("{\"a\":1,\"a\":1}"), &out, &error));
    CHECK(out == NULL);
    OK(touchmark_digest(TOUCHMARK_DIGEST_SHA256, text("abc"), &out, &error));
    CHECK(is_text(touchmark_buffer_bytes(out), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    touchmark_buffer_free(out);
    OK(touchmark_hasher_new(TOUCHMARK_DIGEST_SHA512, &hasher, &error));
    for (i = 0; i < 3; i++) {
        touchmark_bytes one = {(const uint8_t *)"abc" + i, 1}, none = {NULL, 0};
        OK(touchmark_hasher_update(hasher, one, &error));
        OK(touchmark_hasher_update(hasher, none, &error));
    }
    OK(touchmark_hasher_finish(hasher, &out, &error));
    CHECK(contains(touchmark_buffer_bytes(out), "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"));
    touchmark_buffer_free(out);
    GIVES(WRONG_STATE, touchmark_hasher_update(hasher, text("d"), &error));
    GIVES(WRONG_STATE, touchmark_hasher_finish(hasher, &out, &error));
    touchmark_hasher_free(hasher);
    CHECK(touchmark_hasher_new(3, &hasher, NULL) != TOUCHMARK_STATUS_OK && hasher == NULL);
}

static void keys(void) {
    touchmark_public_key *key = of("touchmark_public_key", 1), *other = NULL;
    touchmark_buffer *pem = NULL;
    CHECK(touchmark_public_key_algorithm(key) == TOUCHMARK_KEY_ED25519 && touchmark_public_key_algorithm(NULL) == 0);
    CHECK(same(touchmark_public_key_raw(key), bytes_named("raw")) && touchmark_public_key_id(key).len == 64);
    OK(touchmark_public_key_from_raw(TOUCHMARK_KEY_ED25519, bytes_named("raw"), &other, &error));
    CHECK(same(touchmark_public_key_id(key), touchmark_public_key_id(other)));
    OK(touchmark_public_key_to_pem(other, &pem, &error));
    CHECK(same(touchmark_buffer_bytes(pem), bytes_named("owner.pub")));
    touchmark_buffer_free(pem);
    touchmark_public_key_free(other);
    touchmark_public_key_free(key);
    key = of("touchmark_public_key", 0);
    OK(touchmark_public_key_verify(key, bytes_named("message"), bytes_named("signature"), &error));
    GIVES(BAD_SIGNATURE, touchmark_public_key_verify(key, bytes_named("payload"), bytes_named("signature"), &error));
    GIVES(BAD_SIGNATURE, touchmark_public_key_verify(key, bytes_named("message"), text(""), &error));
    touchmark_public_key_free(key);
    GIVES(MALFORMED_KEY, touchmark_public_key_read(text("no key"), &key, &error));
}

static void envelopes(void) {
    touchmark_envelope *envelope = of("touchmark_envelope", 0);
    touchmark_verified_envelope *verified = NULL;
    touchmark_public_key *signs = of("touchmark_public_key", 0), *does_not = of("touchmark_public_key", 1);
    const touchmark_public_key *both[2], *twice[2];
    both[0] = does_not;
    both[1] = twice[0] = twice[1] = signs;
    CHECK(same(touchmark_envelope_payload_type(envelope), bytes_named("payload.type")));
    CHECK(same(touchmark_envelope_untrusted_payload(envelope), bytes_named("payload")));
    CHECK(touchmark_envelope_signature_count(envelope) == 1 && touchmark_envelope_signature_count(NULL) == 0);
    CHECK(touchmark_envelope_signature_keyid(envelope, 0).len > 0 && touchmark_envelope_signature_keyid(envelope, 1).len == 0);
    CHECK(touchmark_envelope_signature_keyid(envelope, SIZE_MAX).len == 0);
    OK(touchmark_envelope_verify(envelope, both, 2, 1, &verified, &error));
    CHECK(touchmark_verified_envelope_key_count(verified) == 1 && touchmark_verified_envelope_key_id(verified, 1).len == 0);
    CHECK(same(touchmark_verified_envelope_key_id(verified, 0), touchmark_public_key_id(signs)));
    CHECK(same(touchmark_verified_envelope_payload(verified), bytes_named("payload")));
    touchmark_verified_envelope_free(verified);
    GIVES(THRESHOLD_NOT_REACHED, touchmark_envelope_verify(envelope, both, 1, 1, &verified, &error));
    CHECK(verified == NULL);
    GIVES(THRESHOLD_NOT_REACHED, touchmark_envelope_verify(envelope, both, 2, 2, &verified, &error));
    /* One key twice is one key. */
    GIVES(INVALID_THRESHOLD, touchmark_envelope_verify(envelope, twice, 2, 2, &verified, &error));
    GIVES(INVALID_THRESHOLD, touchmark_envelope_verify(envelope, both, 2, 0, &verified, &error));
    GIVES(INVALID_THRESHOLD, touchmark_envelope_verify(envelope, both, 2, SIZE_MAX, &verified, &error));
    touchmark_envelope_free(envelope);
    GIVES(MALFORMED_ENVELOPE, touchmark_envelope_parse(text("{}"), &envelope, &error));
    CHECK(envelope == NULL);
    touchmark_public_key_free(signs);
    touchmark_public_key_free(does_not);
}

static void decisions(void) {
    touchmark_policy *policy = of("touchmark_policy", 0), *named;
    touchmark_policy_builder *builder = of("touchmark_policy_builder", 0);
    touchmark_verified_artifact *artifact = NULL;
    touchmark_bytes envelope = bytes_named("envelope.json"), manifest = bytes_named("manifest.json");
    touchmark_buffer *json = NULL;
    OK(touchmark_verify_manifest(policy, manifest, &envelope, 1, AT, &artifact, &error));
    CHECK(same(touchmark_verified_artifact_digest(artifact), bytes_named("digest")));
    CHECK(touchmark_verified_artifact_size(artifact) == manifest.len && same(touchmark_verified_artifact_manifest(artifact), manifest));
    CHECK(same(touchmark_verified_artifact_media_type(artifact), bytes_named("media.type")));
    CHECK(touchmark_verified_artifact_name(artifact).len == 0);
    OK(touchmark_verified_artifact_to_json(artifact, &json, &error));
    CHECK(is_json(touchmark_buffer_bytes(json)));
    touchmark_buffer_free(json);
    touchmark_verified_artifact_free(artifact);
    GIVES(INVALID_TIME, touchmark_verify_manifest(policy, manifest, &envelope, 1, 0, &artifact, &error));
    GIVES(UNSIGNED, touchmark_verify_manifest(policy, manifest, NULL, 0, AT, &artifact, &error));
    CHECK(touchmark_verify_manifest(policy, bytes_named("referrers.json"), &envelope, 1, AT, &artifact, &error) != TOUCHMARK_STATUS_OK && artifact == NULL);
    touchmark_error_free(error);
    error = NULL;
    touchmark_policy_free(policy);

    OK(touchmark_policy_builder_set_name(builder, bytes_named("name"), &error));
    OK(touchmark_policy_builder_build(builder, &policy, &error));
    /* What is built does not change with its builder. */
    OK(touchmark_policy_builder_require_annotation(builder, text("a"), text("b"), &error));
    OK(touchmark_policy_builder_build(builder, &named, &error));
    touchmark_policy_builder_free(builder);
    OK(touchmark_verify_manifest(policy, manifest, &envelope, 1, AT, &artifact, &error));
    CHECK(same(touchmark_verified_artifact_name(artifact), bytes_named("name")));
    touchmark_verified_artifact_free(artifact);
    GIVES(NOT_VERIFIED, touchmark_verify_manifest(named, manifest, &envelope, 1, AT, &artifact, &error));
    touchmark_policy_free(policy);
    touchmark_policy_free(named);
}

static void policies(void) {
    touchmark_policy_document *document = of("touchmark_policy_document", 0);
    touchmark_buffer *out = NULL;
    OK(touchmark_policy_document_decide(document, text(""), text("acme/x:1"), &out, &error));
    CHECK(is_json(touchmark_buffer_bytes(out)));
    touchmark_buffer_free(out);
    GIVES(POLICY_REJECTED, touchmark_policy_document_decide(document, text(""), text("acme/secret"), &out, &error));
    GIVES(POLICY_REJECTED, touchmark_policy_document_decide(document, text(""), text("other/x"), &out, &error));
    CHECK(out == NULL);
    touchmark_policy_document_free(document);
    GIVES(MALFORMED_POLICY, touchmark_policy_document_read(text("{\"version\":1}"), TOUCHMARK_ORIGIN_LOCAL, &document, &error));
    /* What a build cannot verify it does not take for less. */
#ifdef TOUCHMARK_SUPPLY_CHAIN
    OK(touchmark_policy_document_read(text(WITH_A_LAYOUT), TOUCHMARK_ORIGIN_LOCAL, &document, &error));
    touchmark_policy_document_free(document);
#else
    CHECK(touchmark_policy_document_read(text(WITH_A_LAYOUT), TOUCHMARK_ORIGIN_LOCAL, &document, &error) == TOUCHMARK_STATUS_UNSUPPORTED);
    CHECK(document == NULL && is_text(touchmark_error_code(error), "policy-no-supply-chains"));
    touchmark_error_free(error);
    error = NULL;
#endif
}

#ifdef TOUCHMARK_SIGN
static void signers(void) {
    touchmark_private_key *key = of("touchmark_private_key", 1), *read = NULL;
    touchmark_public_key *public_key = NULL, *again = NULL;
    touchmark_signer *signer[3];
    touchmark_envelope *envelope = NULL, *more = NULL;
    touchmark_verified_envelope *verified = NULL;
    touchmark_buffer *pem = NULL;
    const touchmark_public_key *one[1];
    const touchmark_signer *by[1];
    size_t i;
    OK(touchmark_private_key_public(key, &public_key, &error));
    OK(touchmark_private_key_to_encrypted_pem(key, bytes_named("passphrase"), &pem, &error));
    GIVES(WRONG_PASSPHRASE, touchmark_private_key_read(touchmark_buffer_bytes(pem), text("wrong"), &read, &error));
    OK(touchmark_private_key_read(touchmark_buffer_bytes(pem), bytes_named("passphrase"), &read, &error));
    touchmark_buffer_free(pem);
    OK(touchmark_private_key_public(read, &again, &error));
    CHECK(same(touchmark_public_key_id(public_key), touchmark_public_key_id(again)));
    touchmark_public_key_free(again);
    touchmark_private_key_free(read);
    CHECK(touchmark_private_key_to_encrypted_pem(key, text(""), &pem, NULL) != TOUCHMARK_STATUS_OK && pem == NULL);
    touchmark_private_key_free(key);
    touchmark_public_key_free(public_key);

    for (i = 0; i < 3; i++) signer[i] = of("touchmark_signer", (unsigned)i);
    public_key = of("touchmark_public_key", 0);
    one[0] = public_key;
    for (i = 0; i < 2; i++) {
        by[0] = signer[i];
        OK(touchmark_envelope_sign(text("text/plain"), text("hello"), by, 1, &envelope, &error));
        OK(touchmark_envelope_verify(envelope, one, 1, 1, &verified, &error));
        CHECK(is_text(touchmark_verified_envelope_payload(verified), "hello"));
        touchmark_verified_envelope_free(verified);
        touchmark_envelope_free(envelope);
    }
    /* Each way in which a callback misbehaves is a failure, and leaves nothing behind. */
    for (i = NOTHING; i < BEHAVIOURS; i++) {
        touchmark_signer *bad = NULL;
        touchmark_status status;
        OK(touchmark_signer_from_callback(public_key, sign_message, &behaviours[i], &bad, &error));
        by[0] = bad;
        status = touchmark_envelope_sign(text("text/plain"), text("hello"), by, 1, &envelope, &error);
        CHECK(status >= 300 && status < 800 && envelope == NULL);
        if (i == SAYS_WHY) CHECK(status == TOUCHMARK_STATUS_CALLBACK_FAILED && contains(touchmark_error_json(error), "disk"));
        if (i == FAILS || i == UNKNOWN_STATUS) CHECK(status == TOUCHMARK_STATUS_CALLBACK_FAILED);
        touchmark_error_free(error);
        error = NULL;
        touchmark_signer_free(bad);
    }
    by[0] = signer[0];
    OK(touchmark_sign_manifest(bytes_named("manifest.json"), text(""), bytes_named("name"), NULL, 0, AT - 10, 0, by, 1, &envelope, &error));
    OK(touchmark_envelope_add_signature(envelope, signer[1], &more, &error));
    touchmark_envelope_free(envelope);
    touchmark_envelope_free(more);
    touchmark_public_key_free(public_key);
    for (i = 0; i < 3; i++) touchmark_signer_free(signer[i]);
}
#endif

#ifdef TOUCHMARK_IO
static void sources(void) {
    touchmark_source *source = NULL;
    touchmark_policy *policy = of("touchmark_policy", 0);
    touchmark_verified_artifact *artifact = NULL;
    touchmark_buffer *out = NULL;
    touchmark_trust_root *root;
    touchmark_standing *standing = NULL;
    unsigned variety;
    for (variety = 0; variety < 2; variety++) {
        source = of("touchmark_source", variety);
        OK(touchmark_source_digest(source, &out, &error));
        CHECK(same(touchmark_buffer_bytes(out), bytes_named("digest")));
        touchmark_buffer_free(out);
        OK(touchmark_source_verify(source, policy, AT, &artifact, &error));
        CHECK(same(touchmark_verified_artifact_digest(artifact), bytes_named("digest")));
        touchmark_verified_artifact_free(artifact);
        touchmark_source_free(source);
        root = of("touchmark_trust_root", variety);
        OK(touchmark_trust_root_standing(root, bytes_named("name"), &standing, &error));
        touchmark_standing_free(standing);
        if (variety == 0) {
            OK(touchmark_trust_root_target(root, bytes_named("listed"), &out, &error));
            CHECK(same(touchmark_buffer_bytes(out), bytes_named("program")));
            touchmark_buffer_free(out);
        } else GIVES(UNKNOWN, touchmark_trust_root_target(root, bytes_named("listed"), &out, &error));
        GIVES(NOT_FOUND, touchmark_trust_root_target(root, text("acme/nothing"), &out, &error));
        touchmark_trust_root_free(root);
    }
    /* Nothing is looked for in the working folder by accident. */
    CHECK(touchmark_source_open(text(""), &source, NULL) != TOUCHMARK_STATUS_OK && source == NULL);
    GIVES(INVALID_ARGUMENT, touchmark_trust_root_open(bytes_named("root.json"), text(""), text("store"), AT, &root, &error));
    GIVES(INVALID_ARGUMENT, touchmark_trust_root_open(bytes_named("root.json"), bytes_named("metadata.path"), text(""), AT, &root, &error));
    touchmark_policy_free(policy);
}
#endif

int main(int count, char **words) {
    if (count != 2) return 2;
    tell_of_crashes();
    asked_for = "conformance";
    read_fixtures(words[1]);
    library();
    errors();
    documents_and_digests();
    keys();
    envelopes();
    decisions();
    searches();
    metadata();
    reentrance();
#ifdef TOUCHMARK_SUPPLY_CHAIN
    supply_chains();
#endif
    policies();
#ifdef TOUCHMARK_SIGN
    signers();
#endif
#ifdef TOUCHMARK_IO
    sources();
#endif
    free_shared();
    free_fixtures();
    puts("conformance: all functions give what the header says");
    return 0;
}
