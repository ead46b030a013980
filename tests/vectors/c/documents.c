/* Canonical JSON, digests, names, keys, signatures, envelopes and policy documents. */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void run_canonical_json(struct flat_case *one) {
    touchmark_buffer *output = NULL;
    touchmark_error *error = NULL;
    touchmark_status status = touchmark_canonical_json(flat_bytes(one, "/document"), &output, &error);
    if (expected(one, "/expect", status, error)) {
        expect_bytes(one, "/expect", "output", touchmark_buffer_bytes(output));
    }
    touchmark_buffer_free(output);
}

/* The digest of a document that is given in pieces. */
static void in_pieces(struct flat_case *one, uint32_t algorithm, touchmark_bytes document, size_t size) {
    touchmark_hasher *hasher = NULL;
    touchmark_buffer *digest = NULL;
    touchmark_status status = touchmark_hasher_new(algorithm, &hasher, NULL);
    size_t at;
    for (at = 0; status == TOUCHMARK_STATUS_OK && at < document.len; at += size) {
        touchmark_bytes piece;
        piece.ptr = document.ptr + at;
        piece.len = document.len - at < size ? document.len - at : size;
        status = touchmark_hasher_update(hasher, piece, NULL);
    }
    if (status == TOUCHMARK_STATUS_OK) {
        status = touchmark_hasher_finish(hasher, &digest, NULL);
    }
    if (status != TOUCHMARK_STATUS_OK) {
        fail(one, "the hasher says %lu", (unsigned long)status);
    }
    expect_bytes(one, "/expect", "digest", touchmark_buffer_bytes(digest));
    touchmark_buffer_free(digest);
    touchmark_hasher_free(hasher);
}

void run_digest(struct flat_case *one) {
    touchmark_bytes document = flat_bytes(one, "/document");
    uint32_t algorithm = same(flat_bytes(one, "/algorithm"), bytes_of("sha256")) ? TOUCHMARK_DIGEST_SHA256 : TOUCHMARK_DIGEST_SHA512;
    touchmark_buffer *digest = NULL;
    touchmark_error *error = NULL;
    touchmark_status status = touchmark_digest(algorithm, document, &digest, &error);
    if (expected(one, "/expect", status, error)) {
        expect_bytes(one, "/expect", "digest", touchmark_buffer_bytes(digest));
        in_pieces(one, algorithm, document, 1);
        in_pieces(one, algorithm, document, 7);
        in_pieces(one, algorithm, document, 64);
    }
    touchmark_buffer_free(digest);
}

void run_name(struct flat_case *one) {
    touchmark_error *error = NULL;
    touchmark_status status = touchmark_name_check(flat_bytes(one, "/name"), &error);
    expected(one, "/expect", status, error);
}

void run_public_key(struct flat_case *one) {
    static const char *const NAMES[] = {"", "ed25519", "ecdsa-p256", "ecdsa-p384", "rsa-pss"};
    touchmark_public_key *key = NULL;
    touchmark_error *error = NULL;
    touchmark_status status = touchmark_public_key_read(flat_bytes(one, "/key"), &key, &error);
    if (expected(one, "/expect", status, error)) {
        uint32_t algorithm = touchmark_public_key_algorithm(key);
        expect_bytes(one, "/expect", "algorithm", bytes_of(algorithm < 5 ? NAMES[algorithm] : "?"));
        expect_bytes(one, "/expect", "key_id", touchmark_public_key_id(key));
    }
    touchmark_public_key_free(key);
}

void run_signature(struct flat_case *one) {
    touchmark_public_key *key = NULL;
    touchmark_error *error = NULL;
    touchmark_status status = touchmark_public_key_read(flat_bytes(one, "/key"), &key, &error);
    if (status == TOUCHMARK_STATUS_OK) {
        status = touchmark_public_key_verify(key, flat_bytes(one, "/message"), flat_bytes(one, "/signature"), &error);
    }
    expected(one, "/expect", status, error);
    touchmark_public_key_free(key);
}

touchmark_status keys_read(struct flat_case *one, struct keys *keys, touchmark_error **error) {
    size_t at, count = flat_count(one, "/keys");
    touchmark_status status = TOUCHMARK_STATUS_OK;
    memset(keys, 0, sizeof *keys);
    for (at = 0; at < count && at < MOST; at++) {
        touchmark_bytes key = flat_bytes(one, "/keys/%lu", (unsigned long)at);
        if (status == TOUCHMARK_STATUS_OK) {
            status = touchmark_public_key_read(key, &keys->all[at], error);
            keys->count = at + 1;
        }
    }
    return status;
}

void keys_free(struct keys *keys) {
    size_t at;
    for (at = 0; at < keys->count; at++) {
        touchmark_public_key_free(keys->all[at]);
    }
}

static int order(const void *one, const void *other) {
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

/* The keys that are expected are sorted. */
static void expect_keys(struct flat_case *one, const touchmark_verified_envelope *verified) {
    char texts[MOST][65];
    const char *sorted[MOST];
    size_t at, count = touchmark_verified_envelope_key_count(verified);
    for (at = 0; at < count && at < MOST; at++) {
        touchmark_bytes id = touchmark_verified_envelope_key_id(verified, at);
        memset(texts[at], 0, sizeof texts[at]);
        memcpy(texts[at], id.ptr, id.len < 64 ? id.len : 64);
        sorted[at] = texts[at];
    }
    qsort(sorted, count, sizeof *sorted, order);
    if (flat_find(one, "/expect/keys") != NULL && flat_count(one, "/expect/keys") != count) {
        fail(one, "%lu keys signed", (unsigned long)count);
    }
    for (at = 0; at < count && at < MOST; at++) {
        if (!same(flat_bytes(one, "/expect/keys/%lu", (unsigned long)at), bytes_of(sorted[at]))) {
            fail(one, "the key %s signed", sorted[at]);
        }
    }
}

void run_envelope(struct flat_case *one) {
    struct keys keys;
    touchmark_envelope *envelope = NULL;
    touchmark_verified_envelope *verified = NULL;
    touchmark_error *error = NULL;
    touchmark_bytes bytes = flat_bytes(one, "/envelope");
    int64_t threshold = flat_number(one, "/threshold");
    touchmark_status status = keys_read(one, &keys, &error);
    if (status == TOUCHMARK_STATUS_OK) {
        status = touchmark_envelope_parse(bytes, &envelope, &error);
    }
    if (status == TOUCHMARK_STATUS_OK) {
        const touchmark_public_key *const *all = (const touchmark_public_key *const *)keys.all;
        status = touchmark_envelope_verify(envelope, all, keys.count, (size_t)threshold, &verified, &error);
    }
    if (expected(one, "/expect", status, error)) {
        expect_bytes(one, "/expect", "payload", touchmark_verified_envelope_payload(verified));
        expect_bytes(one, "/expect", "payload_type", touchmark_verified_envelope_payload_type(verified));
        expect_keys(one, verified);
    }
    touchmark_verified_envelope_free(verified);
    touchmark_envelope_free(envelope);
    keys_free(&keys);
}

static void ask(struct flat_case *one, const touchmark_policy_document *document, unsigned long number) {
    char place[64];
    touchmark_buffer *rule = NULL, *canonical = NULL;
    touchmark_error *error = NULL;
    touchmark_bytes reference = flat_bytes(one, "/questions/%lu/reference", number), name = flat_bytes(one, "/questions/%lu/name", number);
    touchmark_status status = touchmark_policy_document_decide(document, reference, name, &rule, &error);
    snprintf(place, sizeof place, "/questions/%lu/expect", number);
    if (expected(one, place, status, error)) {
        status = touchmark_canonical_json(touchmark_buffer_bytes(rule), &canonical, NULL);
        if (status != TOUCHMARK_STATUS_OK) {
            fail(one, "the rule is no JSON");
        }
        expect_bytes(one, place, "rule", touchmark_buffer_bytes(canonical));
    }
    touchmark_buffer_free(rule);
    touchmark_buffer_free(canonical);
}

void run_policy_document(struct flat_case *one) {
    touchmark_policy_document *document = NULL;
    touchmark_error *error = NULL;
    uint32_t origin = same(flat_bytes(one, "/origin"), bytes_of("local")) ? TOUCHMARK_ORIGIN_LOCAL : TOUCHMARK_ORIGIN_SIGNED;
    touchmark_status status = touchmark_policy_document_read(flat_bytes(one, "/document"), origin, &document, &error);
    if (expected(one, "/expect", status, error)) {
        size_t at, count = flat_count(one, "/questions");
        for (at = 0; at < count; at++) {
            ask(one, document, (unsigned long)at);
        }
    }
    touchmark_policy_document_free(document);
}
