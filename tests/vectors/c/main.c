/* Runs the vectors through the C interface: run FOLDER FLAT, with what `touchmark-test-vectors flat FOLDER` wrote. */
#define _POSIX_C_SOURCE 200809L
#include "run.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct operation {
    const char *name;
    void (*run)(struct flat_case *one);
} OPERATIONS[] = {
    {"canonical-json", run_canonical_json},
    {"digest", run_digest},
    {"name", run_name},
    {"public-key", run_public_key},
    {"signature", run_signature},
    {"envelope", run_envelope},
    {"policy-document", run_policy_document},
    {"verify", run_verify},
    {"search", run_search},
    {"layout", run_layout},
    {"standing", run_standing},
    {"tuf", run_tuf},
    {"supply-chain", run_supply_chain},
};

static void run(struct flat_case *one) {
    touchmark_bytes name = flat_bytes(one, "/operation");
    size_t at;
    for (at = 0; at < sizeof OPERATIONS / sizeof *OPERATIONS; at++) {
        if (same(name, bytes_of(OPERATIONS[at].name))) {
            OPERATIONS[at].run(one);
            if (!one->failed) {
                flat_all_used(one);
            }
            return;
        }
    }
    fail(one, "unknown operation");
}

int expected(struct flat_case *one, const char *place, touchmark_status status, touchmark_error *error) {
    touchmark_bytes name = touchmark_status_name(status);
    touchmark_bytes wanted = flat_bytes(one, "%s/status", place);
    const struct entry *code = flat_find(one, "%s/code", place);
    touchmark_bytes found = touchmark_error_code(error);
    if (!same(name, wanted)) {
        fail(one, "%s: %.*s (%.*s), and not %.*s", place, (int)name.len, (const char *)name.ptr, (int)found.len,
             found.len == 0 ? "" : (const char *)found.ptr, (int)wanted.len, (const char *)wanted.ptr);
    } else if (code != NULL && !same(found, flat_bytes(one, "%s/code", place))) {
        fail(one, "%s: the code is %.*s", place, (int)found.len, (const char *)found.ptr);
    } else if ((status == TOUCHMARK_STATUS_OK) != (error == NULL)) {
        fail(one, "%s: an error comes with a status other than OK, and with no other", place);
    } else if (error != NULL && touchmark_error_status(error) != status) {
        fail(one, "%s: the error has another status", place);
    } else if (error != NULL && (touchmark_error_message(error).len == 0 || touchmark_error_json(error).len == 0)) {
        fail(one, "%s: the error says nothing", place);
    }
    touchmark_error_free(error);
    return status == TOUCHMARK_STATUS_OK && !one->failed;
}

void expect_bytes(struct flat_case *one, const char *place, const char *name, touchmark_bytes found) {
    if (flat_find(one, "%s/%s", place, name) != NULL && !same(found, flat_bytes(one, "%s/%s", place, name))) {
        fail(one, "%s/%s is %.*s", place, name, (int)found.len, found.len == 0 ? "" : (const char *)found.ptr);
    }
}

int main(int count, char **arguments) {
    struct flat_reader reader;
    struct flat_case one;
    unsigned long passed = 0, failed = 0;
    if (count != 3) {
        fputs("usage: run FOLDER FLAT\n", stderr);
        return 2;
    }
    /* Paths begin at the folder of the vectors. */
    if (!flat_open(&reader, arguments[2]) || chdir(arguments[1]) != 0) {
        perror(arguments[1]);
        return 2;
    }
    while (flat_next(&reader, &one)) {
        run(&one);
        *(one.failed ? &failed : &passed) += 1;
        flat_case_free(&one);
    }
    flat_close(&reader);
    printf("C: %lu vectors passed, %lu failed\n", passed, failed);
    return failed == 0 && passed > 0 ? 0 : 1;
}
