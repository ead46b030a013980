/* The Update Framework by steps, and what trust metadata says of names. */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A file of the store. */
struct stored {
    char name[300];
    uint8_t *bytes;
    size_t len;
};

struct store {
    struct stored files[64];
    size_t count;
};

static struct stored *stored_as(struct store *store, touchmark_bytes name) {
    size_t at;
    for (at = 0; at < store->count; at++) {
        if (same(bytes_of(store->files[at].name), name)) {
            return &store->files[at];
        }
    }
    return NULL;
}

static void forget(struct store *store, touchmark_bytes name) {
    struct stored *file = stored_as(store, name);
    if (file != NULL) {
        free(file->bytes);
        *file = store->files[--store->count];
    }
}

static void keep(struct store *store, touchmark_bytes name, touchmark_bytes bytes) {
    struct stored *file;
    forget(store, name);
    file = &store->files[store->count++];
    memset(file, 0, sizeof *file);
    memcpy(file->name, name.ptr, name.len < sizeof file->name ? name.len : sizeof file->name - 1);
    file->bytes = malloc(bytes.len + 1);
    if (file->bytes == NULL || store->count == 64) {
        exit(2);
    }
    if (bytes.len > 0) {
        memcpy(file->bytes, bytes.ptr, bytes.len);
    }
    file->len = bytes.len;
}

static void store_free(struct store *store) {
    while (store->count > 0) {
        free(store->files[--store->count].bytes);
    }
}

static touchmark_status fetch(touchmark_tuf_client *client, touchmark_bytes folder, touchmark_bytes name, touchmark_error **error) {
    char path[1024];
    touchmark_bytes bytes;
    uint8_t *file;
    touchmark_status status;
    snprintf(path, sizeof path, "%.*s/%.*s", (int)folder.len, (const char *)folder.ptr, (int)name.len, (const char *)name.ptr);
    file = read_file(path, &bytes.len);
    if (file == NULL) {
        return touchmark_tuf_client_provide_absent(client, error);
    }
    bytes.ptr = file;
    status = touchmark_tuf_client_provide_bytes(client, bytes, error);
    free(file);
    return status;
}

/* Takes steps until there is none. */
static touchmark_status drive(touchmark_tuf_client *client, touchmark_bytes folder, struct store *store, touchmark_error **error) {
    touchmark_status status = TOUCHMARK_STATUS_OK;
    while (status == TOUCHMARK_STATUS_OK) {
        touchmark_tuf_step step;
        struct stored *file;
        touchmark_bytes bytes;
        status = touchmark_tuf_client_next(client, &step, error);
        if (status != TOUCHMARK_STATUS_OK || step.kind == TOUCHMARK_TUF_DONE) {
            break;
        }
        switch (step.kind) {
        case TOUCHMARK_TUF_LOAD:
            file = stored_as(store, step.name);
            if (file == NULL) {
                status = touchmark_tuf_client_provide_absent(client, error);
            } else {
                bytes.ptr = file->bytes;
                bytes.len = file->len;
                status = touchmark_tuf_client_provide_bytes(client, bytes, error);
            }
            break;
        case TOUCHMARK_TUF_FETCH:
            status = fetch(client, folder, step.name, error);
            break;
        case TOUCHMARK_TUF_STORE:
            keep(store, step.name, step.bytes);
            status = touchmark_tuf_client_provide_done(client, error);
            break;
        default:
            forget(store, step.name);
            status = touchmark_tuf_client_provide_done(client, error);
        }
    }
    return status;
}

static void expect_versions(struct flat_case *one, const char *place, const touchmark_tuf_client *client) {
    size_t at, count = flat_count(one, "%s/versions", place);
    touchmark_buffer *state = NULL;
    touchmark_status status = touchmark_tuf_client_state_json(client, &state, NULL);
    if (status != TOUCHMARK_STATUS_OK) {
        fail(one, "there is no state");
    }
    for (at = 0; at < count; at++) {
        char text[128];
        touchmark_bytes role = flat_bytes(one, "%s/versions/%lu/name", place, (unsigned long)at);
        long long version = (long long)flat_number(one, "%s/versions/%lu/value", place, (unsigned long)at);
        snprintf(text, sizeof text, "\"%.*s\":{\"version\":%lld,", (int)role.len, (const char *)role.ptr, version);
        if (!contains(touchmark_buffer_bytes(state), text)) {
            touchmark_bytes json = touchmark_buffer_bytes(state);
            fail(one, "%s: %s is not in %.*s", place, text, (int)json.len, (const char *)json.ptr);
        }
    }
    touchmark_buffer_free(state);
}

static void expect_target(struct flat_case *one, const char *place, const touchmark_tuf_target *target) {
    touchmark_bytes sha256 = flat_bytes(one, "%s/sha256", place);
    touchmark_buffer *json = NULL;
    char text[128];
    if (flat_find(one, "%s/length", place) != NULL
        && (uint64_t)flat_number(one, "%s/length", place) != touchmark_tuf_target_length(target)) {
        fail(one, "%s: another length", place);
    }
    expect_bytes(one, place, "role", touchmark_tuf_target_role(target));
    snprintf(text, sizeof text, "\"sha256\":\"%.*s\"", (int)sha256.len, sha256.len == 0 ? "" : (const char *)sha256.ptr);
    if (touchmark_tuf_target_to_json(target, &json, NULL) != TOUCHMARK_STATUS_OK
        || (sha256.len > 0 && !contains(touchmark_buffer_bytes(json), text))) {
        fail(one, "%s: another digest", place);
    }
    touchmark_buffer_free(json);
}

static void look_up(struct flat_case *one, touchmark_tuf_client *client, const char *place, touchmark_bytes folder, struct store *store) {
    char expect[160];
    touchmark_tuf_target *target = NULL;
    touchmark_error *error = NULL;
    touchmark_status status = touchmark_tuf_client_look_up(client, flat_bytes(one, "%s/path", place), &error);
    if (status == TOUCHMARK_STATUS_OK) {
        status = drive(client, folder, store, &error);
    }
    if (status == TOUCHMARK_STATUS_OK) {
        status = touchmark_tuf_client_found(client, &target, &error);
    }
    snprintf(expect, sizeof expect, "%s/expect", place);
    if (expected(one, expect, status, error)) {
        expect_target(one, expect, target);
    }
    touchmark_tuf_target_free(target);
}

void run_tuf(struct flat_case *one) {
    struct store store;
    size_t update, count = flat_count(one, "/updates");
    memset(&store, 0, sizeof store);
    keep(&store, bytes_of("root.json"), flat_bytes(one, "/root"));
    for (update = 0; update < count; update++) {
        char place[128];
        touchmark_tuf_client *client = NULL;
        touchmark_error *error = NULL;
        touchmark_bytes folder = flat_bytes(one, "/updates/%lu/repository", (unsigned long)update);
        int64_t at = flat_number(one, "/updates/%lu/at", (unsigned long)update);
        size_t target, targets = flat_count(one, "/updates/%lu/targets", (unsigned long)update);
        touchmark_status status = touchmark_tuf_client_new(0, at, &client, &error);
        if (status == TOUCHMARK_STATUS_OK) {
            status = drive(client, folder, &store, &error);
        }
        snprintf(place, sizeof place, "/updates/%lu/expect", (unsigned long)update);
        if (expected(one, place, status, error)) {
            expect_versions(one, place, client);
            for (target = 0; target < targets; target++) {
                snprintf(place, sizeof place, "/updates/%lu/targets/%lu", (unsigned long)update, (unsigned long)target);
                look_up(one, client, place, folder, &store);
            }
        }
        touchmark_tuf_client_free(client);
    }
    store_free(&store);
}

/* The kinds that a policy takes. */
static uint32_t kinds(struct flat_case *one) {
    static const char *const NAMES[] = {"entry", "seal", "envelopes"};
    size_t at, name, count = flat_count(one, "/accept_only");
    uint32_t all = 0;
    for (at = 0; at < count; at++) {
        for (name = 0; name < 3; name++) {
            if (same(flat_bytes(one, "/accept_only/%lu", (unsigned long)at), bytes_of(NAMES[name]))) {
                all |= (uint32_t)1 << name;
            }
        }
    }
    return all;
}

/* The standing of the name of a case. */
static touchmark_status standing_of(struct flat_case *one, touchmark_tuf_client *client, touchmark_standing **standing, touchmark_error **error) {
    struct store store;
    touchmark_bytes folder = flat_bytes(one, "/repository"), name = flat_bytes(one, "/name");
    touchmark_status status = touchmark_name_check(name, error);
    memset(&store, 0, sizeof store);
    keep(&store, bytes_of("root.json"), flat_bytes(one, "/root"));
    if (status == TOUCHMARK_STATUS_OK) {
        status = drive(client, folder, &store, error);
    }
    if (status == TOUCHMARK_STATUS_OK) {
        status = touchmark_tuf_client_look_up(client, name, error);
    }
    if (status == TOUCHMARK_STATUS_OK) {
        status = drive(client, folder, &store, error);
    }
    if (status == TOUCHMARK_STATUS_OK) {
        status = touchmark_tuf_client_standing(client, name, standing, error);
    }
    store_free(&store);
    return status;
}

void run_standing(struct flat_case *one) {
    touchmark_tuf_client *client = NULL;
    touchmark_standing *standing = NULL;
    touchmark_policy_builder *builder = NULL;
    touchmark_error *error = NULL;
    touchmark_status status = touchmark_tuf_client_new(0, flat_number(one, "/at"), &client, &error);
    if (status == TOUCHMARK_STATUS_OK) {
        status = standing_of(one, client, &standing, &error);
    }
    if (status == TOUCHMARK_STATUS_OK) {
        status = touchmark_policy_builder_from_standing(standing, &builder, &error);
    }
    if (flat_find(one, "/accept_only") != NULL && status == TOUCHMARK_STATUS_OK) {
        status = touchmark_policy_builder_accept_only(builder, kinds(one), &error);
    }
    if (flat_find(one, "/by_role") != NULL && status == TOUCHMARK_STATUS_OK) {
        status = touchmark_policy_builder_by_role(builder, flat_bytes(one, "/by_role"), &error);
    }
    if (status == TOUCHMARK_STATUS_OK) {
        decide(one, builder);
    } else {
        inputs(one, "envelopes");
        flat_find(one, "/manifest");
        flat_find(one, "/root");
        flat_find(one, "/repository");
        flat_find(one, "/name");
        expected(one, "/expect", status, error);
    }
    touchmark_policy_builder_free(builder);
    touchmark_standing_free(standing);
    touchmark_tuf_client_free(client);
}
