/* Handles that are stepped, and functions of the caller: the half of conformance.c that is about these. */
#include "conformance.h"

/* Bytes of the handle that the call changes. */
void searches(void) {
    touchmark_search *search = of("touchmark_search", 1);
    touchmark_need need;
    touchmark_verified_artifact *artifact = NULL;
    GIVES(WRONG_STATE, touchmark_search_finish(search, &artifact, &error));
    OK(touchmark_search_next(search, &need, &error));
    CHECK(need.kind == TOUCHMARK_NEED_MANIFEST && same(need.digest, bytes_named("digest")) && need.limit > 0);
    /* The view that the search itself gave, as the message. */
    OK(touchmark_search_provide_failure(search, TOUCHMARK_FAILURE_UNAVAILABLE, need.digest, &error));
    OK(touchmark_search_next(search, &need, &error));
    CHECK(need.kind == TOUCHMARK_NEED_DONE);
    GIVES(UNKNOWN, touchmark_search_finish(search, &artifact, &error));
    GIVES(WRONG_STATE, touchmark_search_finish(search, &artifact, &error));
    touchmark_search_free(search);
    /* Other bytes than were asked for are never taken. */
    search = of("touchmark_search", 1);
    CHECK(touchmark_search_provide_bytes(search, text("other bytes"), NULL) != TOUCHMARK_STATUS_OK || (touchmark_search_next(search, &need, NULL) == TOUCHMARK_STATUS_OK));
    CHECK(touchmark_search_finish(search, &artifact, NULL) != TOUCHMARK_STATUS_OK && artifact == NULL);
    touchmark_search_free(search);
}

void metadata(void) {
    touchmark_tuf_client *client = of("touchmark_tuf_client", 0);
    touchmark_tuf_callbacks callbacks;
    touchmark_tuf_target *target = NULL;
    touchmark_standing *standing = NULL;
    touchmark_buffer *out = NULL;
    callbacks.struct_size = sizeof callbacks;
    callbacks.userdata = NULL;
    callbacks.fetch = fetch_metadata;
    callbacks.load = load_file;
    callbacks.store = store_file;
    callbacks.remove = remove_file;
    GIVES(WRONG_STATE, touchmark_tuf_client_look_up(client, bytes_named("target"), &error));
    OK(touchmark_tuf_client_drive(client, &callbacks, &error));
    OK(touchmark_tuf_client_state_json(client, &out, &error));
    CHECK(is_json(touchmark_buffer_bytes(out)) && contains(touchmark_buffer_bytes(out), "\"snapshot\""));
    touchmark_buffer_free(out);
    OK(touchmark_tuf_client_look_up(client, bytes_named("target"), &error));
    OK(touchmark_tuf_client_drive(client, &callbacks, &error));
    OK(touchmark_tuf_client_found(client, &target, &error));
    CHECK(touchmark_tuf_target_length(target) == bytes_named("program").len && is_text(touchmark_tuf_target_role(target), "acme"));
    OK(touchmark_tuf_target_check(target, bytes_named("program"), &error));
    GIVES(NOT_VERIFIED, touchmark_tuf_target_check(target, text("the Program\n"), &error));
    touchmark_tuf_target_free(target);
    OK(touchmark_tuf_client_look_up(client, text("acme/files/nothing"), &error));
    OK(touchmark_tuf_client_drive(client, &callbacks, &error));
    GIVES(NOT_FOUND, touchmark_tuf_client_found(client, &target, &error));
    OK(touchmark_tuf_client_look_up(client, bytes_named("name"), &error));
    OK(touchmark_tuf_client_drive(client, &callbacks, &error));
    OK(touchmark_tuf_client_standing(client, bytes_named("name"), &standing, &error));
    CHECK(touchmark_standing_expires(standing) > AT && touchmark_standing_expires(NULL) == 0);
    touchmark_standing_free(standing);
    touchmark_tuf_client_free(client);
    /* The same metadata, when it has expired. */
    OK(touchmark_tuf_client_new(0, INT64_C(4000000000), &client, &error));
    GIVES(EXPIRED_METADATA, touchmark_tuf_client_drive(client, &callbacks, &error));
    touchmark_tuf_client_free(client);
    callbacks.userdata = &behaviours[GARBAGE];
    client = of("touchmark_tuf_client", 0);
    CHECK(touchmark_tuf_client_drive(client, &callbacks, &error) != TOUCHMARK_STATUS_OK);
    touchmark_error_free(error);
    error = NULL;
    touchmark_tuf_client_free(client);
}

/* Calls out of a callback: into the handle that it is called from they are refused, into others not. */
static touchmark_tuf_client *driven;
static touchmark_tuf_callbacks reentering;
static touchmark_status reenter(void *userdata, touchmark_bytes path, uint64_t limit, touchmark_sink *sink) {
    touchmark_tuf_step step;
    touchmark_buffer *out = NULL;
    memset(&step, 0xff, sizeof step);
    CHECK(touchmark_tuf_client_next(driven, &step, NULL) == TOUCHMARK_STATUS_WRONG_STATE && step.kind == 0 && step.name.ptr == NULL);
    CHECK(touchmark_tuf_client_provide_bytes(driven, text("{}"), NULL) == TOUCHMARK_STATUS_WRONG_STATE);
    CHECK(touchmark_tuf_client_provide_absent(driven, NULL) == TOUCHMARK_STATUS_WRONG_STATE);
    CHECK(touchmark_tuf_client_provide_done(driven, NULL) == TOUCHMARK_STATUS_WRONG_STATE);
    CHECK(touchmark_tuf_client_drive(driven, &reentering, NULL) == TOUCHMARK_STATUS_WRONG_STATE);
    CHECK(touchmark_tuf_client_state_json(driven, &out, NULL) == TOUCHMARK_STATUS_WRONG_STATE && out == NULL);
    OK(touchmark_digest(TOUCHMARK_DIGEST_SHA256, path, &out, NULL));
    touchmark_buffer_free(out);
    return load_file(userdata, path, limit, sink) == TOUCHMARK_STATUS_OK ? TOUCHMARK_STATUS_OK : fetch_metadata(userdata, path, limit, sink);
}

void reentrance(void) {
    driven = of("touchmark_tuf_client", 0);
    reentering.struct_size = sizeof reentering;
    reentering.userdata = NULL;
    reentering.load = reenter;
    reentering.fetch = reenter;
    reentering.store = store_file;
    reentering.remove = remove_file;
    OK(touchmark_tuf_client_drive(driven, &reentering, &error));
    touchmark_tuf_client_free(driven);
}

#ifdef TOUCHMARK_SUPPLY_CHAIN
void supply_chains(void) {
    touchmark_supply_chain *chain = of("touchmark_supply_chain", 1);
    touchmark_supply_chain_need need;
    touchmark_verified_supply_chain *verified = NULL;
    touchmark_buffer *json = NULL;
    GIVES(WRONG_STATE, touchmark_supply_chain_finish(chain, &verified, &error));
    for (;;) {
        OK(touchmark_supply_chain_next(chain, &need, &error));
        if (need.kind == TOUCHMARK_SUPPLY_CHAIN_DONE) break;
        if (need.kind == TOUCHMARK_SUPPLY_CHAIN_NAMES) OK(touchmark_supply_chain_provide_names(chain, NULL, 0, 1, &error));
        else OK(touchmark_supply_chain_provide_absent(chain, &error));
    }
    CHECK(touchmark_supply_chain_finish(chain, &verified, &error) == TOUCHMARK_STATUS_SUPPLY_CHAIN_NOT_VERIFIED && verified == NULL);
    CHECK(contains(touchmark_error_json(error), "\"report\""));
    touchmark_error_free(error);
    error = NULL;
    touchmark_supply_chain_free(chain);
    verified = of("touchmark_verified_supply_chain", 0);
    OK(touchmark_verified_supply_chain_to_json(verified, &json, &error));
    CHECK(is_json(touchmark_buffer_bytes(json)));
    touchmark_buffer_free(json);
    touchmark_verified_supply_chain_free(verified);
}
#endif
