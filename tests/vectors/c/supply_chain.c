/* in-toto layouts by steps, with links in a folder. */
#define _POSIX_C_SOURCE 200809L
#include "run.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static touchmark_status give_file(touchmark_supply_chain *chain, const char *path, touchmark_error **error) {
    touchmark_bytes bytes;
    touchmark_status status;
    uint8_t *file = read_file(path, &bytes.len);
    if (file == NULL) {
        return touchmark_supply_chain_provide_absent(chain, error);
    }
    bytes.ptr = file;
    status = touchmark_supply_chain_provide_bytes(chain, bytes, error);
    free(file);
    return status;
}

/* Gives the names of all files of a folder: those that are no links of the step are ignored. */
static touchmark_status give_names(touchmark_supply_chain *chain, const char *path, touchmark_error **error) {
    struct list names;
    char *texts[MOST];
    touchmark_status status;
    struct dirent *entry;
    size_t at;
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return touchmark_supply_chain_provide_absent(chain, error);
    }
    names.count = 0;
    while ((entry = readdir(folder)) != NULL && names.count < MOST) {
        size_t len = strlen(entry->d_name) + 1;
        texts[names.count] = malloc(len);
        if (texts[names.count] == NULL) {
            exit(2);
        }
        memcpy(texts[names.count], entry->d_name, len);
        names.all[names.count] = bytes_of(texts[names.count]);
        names.count++;
    }
    closedir(folder);
    status = touchmark_supply_chain_provide_names(chain, names.all, names.count, 1, error);
    for (at = 0; at < names.count; at++) {
        free(texts[at]);
    }
    return status;
}

static touchmark_status provide(touchmark_supply_chain *chain, const touchmark_supply_chain_need *need, touchmark_bytes folder, touchmark_error **error) {
    char path[1024];
    snprintf(path, sizeof path, "%.*s/%.*s", (int)folder.len, (const char *)folder.ptr, (int)need->name.len,
             need->name.len == 0 ? "" : (const char *)need->name.ptr);
    switch (need->kind) {
    case TOUCHMARK_SUPPLY_CHAIN_FILE:
        return give_file(chain, path, error);
    case TOUCHMARK_SUPPLY_CHAIN_NAMES:
        return give_names(chain, path, error);
    default:
        /* An inspection: nothing is run. */
        return touchmark_supply_chain_provide_absent(chain, error);
    }
}

void run_supply_chain(struct flat_case *one) {
    struct keys keys;
    touchmark_pair parameters[MOST];
    touchmark_supply_chain *chain = NULL;
    touchmark_verified_supply_chain *verified = NULL;
    touchmark_error *error = NULL;
    touchmark_bytes layout = flat_bytes(one, "/layout"), folder = flat_bytes(one, "/links");
    int64_t at = flat_number(one, "/at");
    size_t parameter, count = flat_count(one, "/parameters");
    touchmark_status status = keys_read(one, &keys, &error);
    for (parameter = 0; parameter < count && parameter < MOST; parameter++) {
        parameters[parameter].key = flat_bytes(one, "/parameters/%lu/name", (unsigned long)parameter);
        parameters[parameter].value = flat_bytes(one, "/parameters/%lu/value", (unsigned long)parameter);
    }
    if (status == TOUCHMARK_STATUS_OK) {
        const touchmark_public_key *const *all = (const touchmark_public_key *const *)keys.all;
        status = touchmark_supply_chain_new(layout, all, keys.count, parameters, count, at, &chain, &error);
    }
    while (status == TOUCHMARK_STATUS_OK) {
        touchmark_supply_chain_need need;
        status = touchmark_supply_chain_next(chain, &need, &error);
        if (status != TOUCHMARK_STATUS_OK || need.kind == TOUCHMARK_SUPPLY_CHAIN_DONE) {
            break;
        }
        status = provide(chain, &need, folder, &error);
    }
    if (status == TOUCHMARK_STATUS_OK) {
        status = touchmark_supply_chain_finish(chain, &verified, &error);
    }
    if (expected(one, "/expect", status, error)) {
        touchmark_buffer *json = NULL;
        if (touchmark_verified_supply_chain_to_json(verified, &json, NULL) != TOUCHMARK_STATUS_OK || touchmark_buffer_bytes(json).len == 0) {
            fail(one, "nothing is said of the supply chain");
        }
        touchmark_buffer_free(json);
    }
    touchmark_verified_supply_chain_free(verified);
    touchmark_supply_chain_free(chain);
    keys_free(&keys);
}
