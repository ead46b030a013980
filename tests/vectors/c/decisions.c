/* Decisions by keys: over bytes, over a place in memory, and over OCI layouts. */
#include "run.h"

#include <string.h>

struct list inputs(struct flat_case *one, const char *name) {
    struct list list;
    size_t at;
    list.count = flat_count(one, "/%s", name);
    for (at = 0; at < list.count && at < MOST; at++) {
        list.all[at] = flat_bytes(one, "/%s/%lu", name, (unsigned long)at);
    }
    return list;
}

void expect_artifact(struct flat_case *one, touchmark_status status, touchmark_verified_artifact *artifact, touchmark_error *error) {
    if (expected(one, "/expect", status, error)) {
        expect_bytes(one, "/expect", "digest", touchmark_verified_artifact_digest(artifact));
        expect_bytes(one, "/expect", "name", touchmark_verified_artifact_name(artifact));
        if (flat_find(one, "/expect/accepted_by") != NULL) {
            touchmark_bytes wanted = flat_bytes(one, "/expect/accepted_by");
            char text[64] = "\"accepted_by\":\"";
            touchmark_buffer *json = NULL;
            strncat(text, (const char *)wanted.ptr, wanted.len < 16 ? wanted.len : 16);
            strcat(text, "\"");
            status = touchmark_verified_artifact_to_json(artifact, &json, NULL);
            if (status != TOUCHMARK_STATUS_OK || !contains(touchmark_buffer_bytes(json), text)) {
                fail(one, "it was accepted by something else");
            }
            touchmark_buffer_free(json);
        }
    }
    touchmark_verified_artifact_free(artifact);
}

void decide(struct flat_case *one, const touchmark_policy_builder *builder) {
    struct list envelopes = inputs(one, "envelopes");
    touchmark_policy *policy = NULL;
    touchmark_verified_artifact *artifact = NULL;
    touchmark_error *error = NULL;
    touchmark_bytes manifest = flat_bytes(one, "/manifest");
    touchmark_status status = touchmark_policy_builder_build(builder, &policy, &error);
    if (status == TOUCHMARK_STATUS_OK) {
        status = touchmark_verify_manifest(policy, manifest, envelopes.all, envelopes.count, flat_number(one, "/at"), &artifact, &error);
    }
    expect_artifact(one, status, artifact, error);
    touchmark_policy_free(policy);
}

/* The policy of a case that has keys. */
static touchmark_status builder_of(struct flat_case *one, touchmark_policy_builder **builder, touchmark_error **error) {
    struct keys keys;
    touchmark_status status = keys_read(one, &keys, error);
    size_t at, count;
    int64_t threshold = flat_number(one, "/threshold");
    *builder = NULL;
    if (status == TOUCHMARK_STATUS_OK) {
        const touchmark_public_key *const *all = (const touchmark_public_key *const *)keys.all;
        status = touchmark_policy_builder_from_keys(all, keys.count, (size_t)threshold, builder, error);
    }
    keys_free(&keys);
    if (flat_find(one, "/name") != NULL && status == TOUCHMARK_STATUS_OK) {
        status = touchmark_policy_builder_set_name(*builder, flat_bytes(one, "/name"), error);
    }
    count = flat_count(one, "/annotations");
    for (at = 0; at < count; at++) {
        touchmark_bytes key = flat_bytes(one, "/annotations/%lu/name", (unsigned long)at);
        touchmark_bytes value = flat_bytes(one, "/annotations/%lu/value", (unsigned long)at);
        if (status == TOUCHMARK_STATUS_OK) {
            status = touchmark_policy_builder_require_annotation(*builder, key, value, error);
        }
    }
    count = flat_count(one, "/predicate_types");
    for (at = 0; at < count; at++) {
        touchmark_bytes wanted = flat_bytes(one, "/predicate_types/%lu", (unsigned long)at);
        if (status == TOUCHMARK_STATUS_OK) {
            status = touchmark_policy_builder_require_predicate(*builder, wanted, error);
        }
    }
    return status;
}

void run_verify(struct flat_case *one) {
    touchmark_policy_builder *builder;
    touchmark_error *error = NULL;
    touchmark_status status = builder_of(one, &builder, &error);
    if (status == TOUCHMARK_STATUS_OK) {
        decide(one, builder);
    } else {
        inputs(one, "envelopes");
        flat_find(one, "/manifest");
        flat_find(one, "/at");
        expected(one, "/expect", status, error);
    }
    touchmark_policy_builder_free(builder);
}

static touchmark_status policy_of(struct flat_case *one, touchmark_policy **policy, touchmark_error **error) {
    touchmark_policy_builder *builder;
    touchmark_status status = builder_of(one, &builder, error);
    *policy = NULL;
    if (status == TOUCHMARK_STATUS_OK) {
        status = touchmark_policy_builder_build(builder, policy, error);
    }
    touchmark_policy_builder_free(builder);
    return status;
}

/* What the place has under a digest: NULL for nothing. */
static const struct entry *stored(struct flat_case *one, const char *kind, touchmark_bytes digest) {
    size_t at, count = flat_count(one, "/store/%s", kind);
    for (at = 0; at < count; at++) {
        if (same(flat_bytes(one, "/store/%s/%lu/name", kind, (unsigned long)at), digest)) {
            return flat_find(one, "/store/%s/%lu/value", kind, (unsigned long)at);
        }
    }
    return NULL;
}

static int fails(struct flat_case *one, touchmark_bytes digest) {
    size_t at, count = flat_count(one, "/failing");
    for (at = 0; at < count; at++) {
        if (same(flat_bytes(one, "/failing/%lu", (unsigned long)at), digest)) {
            return 1;
        }
    }
    return 0;
}

/* Gives a search what it needs. */
static touchmark_status provide(struct flat_case *one, touchmark_search *search, const touchmark_need *need, touchmark_error **error) {
    const char *kind = need->kind == TOUCHMARK_NEED_MANIFEST ? "manifests" : need->kind == TOUCHMARK_NEED_REFERRERS ? "referrers" : "blobs";
    const struct entry *entry = stored(one, kind, need->digest);
    touchmark_bytes bytes = {NULL, 0};
    if (fails(one, need->digest)) {
        return touchmark_search_provide_failure(search, TOUCHMARK_FAILURE_UNAVAILABLE, bytes_of("it fails"), error);
    }
    if (entry != NULL && entry->len > 0) {
        bytes.ptr = entry->bytes;
        bytes.len = entry->len;
    }
    if (need->kind == TOUCHMARK_NEED_REFERRERS) {
        touchmark_bytes none = bytes_of("{\"schemaVersion\":2,\"manifests\":[]}");
        return touchmark_search_provide_referrers(search, entry == NULL ? none : bytes, 1, 0, error);
    }
    if (entry == NULL) {
        return touchmark_search_provide_failure(search, TOUCHMARK_FAILURE_NOT_FOUND, bytes_of("not found"), error);
    }
    if (need->kind == TOUCHMARK_NEED_HASH) {
        touchmark_buffer *digest = NULL;
        touchmark_status status = touchmark_digest(TOUCHMARK_DIGEST_SHA256, bytes, &digest, error);
        if (status == TOUCHMARK_STATUS_OK) {
            status = touchmark_search_provide_hash(search, touchmark_buffer_bytes(digest), bytes.len, error);
        }
        touchmark_buffer_free(digest);
        return status;
    }
    return touchmark_search_provide_bytes(search, bytes, error);
}

/* Looks at all of a place, so that what a search did not need is no failure. */
static void look_at_store(struct flat_case *one) {
    static const char *const KINDS[] = {"manifests", "blobs", "referrers"};
    size_t kind;
    for (kind = 0; kind < 3; kind++) {
        size_t at, count = flat_count(one, "/store/%s", KINDS[kind]);
        for (at = 0; at < count; at++) {
            flat_find(one, "/store/%s/%lu/name", KINDS[kind], (unsigned long)at);
            flat_find(one, "/store/%s/%lu/value", KINDS[kind], (unsigned long)at);
        }
    }
    inputs(one, "failing");
}

void run_search(struct flat_case *one) {
    touchmark_policy *policy;
    touchmark_request *request = NULL;
    touchmark_search *search = NULL;
    touchmark_verified_artifact *artifact = NULL;
    touchmark_error *error = NULL;
    touchmark_need need;
    int64_t at = flat_number(one, "/at");
    touchmark_bytes digest = flat_bytes(one, "/artifact");
    touchmark_status status = policy_of(one, &policy, &error);
    look_at_store(one);
    if (status == TOUCHMARK_STATUS_OK) {
        status = touchmark_request_new(policy, digest, at, &request, &error);
    }
    if (flat_find(one, "/covered_by") != NULL && status == TOUCHMARK_STATUS_OK) {
        status = touchmark_request_covered_by(request, flat_bytes(one, "/covered_by"), &error);
    }
    if (flat_find(one, "/platform") != NULL && status == TOUCHMARK_STATUS_OK) {
        status = touchmark_request_platform(request, flat_bytes(one, "/platform"), &error);
    }
    if (status == TOUCHMARK_STATUS_OK) {
        status = touchmark_search_new(request, &search, &error);
    }
    while (status == TOUCHMARK_STATUS_OK) {
        status = touchmark_search_next(search, &need, &error);
        if (status != TOUCHMARK_STATUS_OK || need.kind == TOUCHMARK_NEED_DONE) {
            break;
        }
        status = provide(one, search, &need, &error);
    }
    if (status == TOUCHMARK_STATUS_OK) {
        status = touchmark_search_finish(search, &artifact, &error);
    }
    expect_artifact(one, status, artifact, error);
    touchmark_search_free(search);
    touchmark_request_free(request);
    touchmark_policy_free(policy);
}

void run_layout(struct flat_case *one) {
    touchmark_source *source = NULL;
    touchmark_policy *policy = NULL;
    touchmark_policy_file *file = NULL;
    touchmark_verified_artifact *artifact = NULL;
    touchmark_error *error = NULL;
    int64_t at = flat_number(one, "/at");
    touchmark_bytes path = flat_bytes(one, "/policy");
    touchmark_bytes reference = flat_bytes(one, "/reference");
    touchmark_bytes nothing = {NULL, 0};
    touchmark_status status;
    if (path.len > 0) {
        status = touchmark_policy_file_open(path, &file, &error);
    } else {
        status = policy_of(one, &policy, &error);
    }
    if (status == TOUCHMARK_STATUS_OK) {
        status = touchmark_source_open(reference, &source, &error);
    }
    if (status == TOUCHMARK_STATUS_OK && path.len > 0) {
        status = touchmark_policy_file_verify(file, source, nothing, nothing, at, &artifact, &error);
    } else if (status == TOUCHMARK_STATUS_OK) {
        status = touchmark_source_verify(source, policy, at, &artifact, &error);
    }
    expect_artifact(one, status, artifact, error);
    touchmark_policy_file_free(file);
    touchmark_policy_free(policy);
    touchmark_source_free(source);
}
