/* No handle borrows from another: those that are made of each other are freed in every order, and what is left is used after each.

     orders DATA [EVERY]    EVERY: only each so manieth order */
#include "engine.h"

enum { MOST_HANDLES = 6 };
struct owned { void *handle; const char *type; };
static struct owned owned[MOST_HANDLES];
static unsigned owned_count;

static void own(const char *type, void *handle) {
    CHECK(handle != NULL && owned_count < MOST_HANDLES);
    owned[owned_count].handle = handle;
    owned[owned_count++].type = type;
}

/* Every function that only reads this one handle, and has no other argument but results and numbers. */
static void use(const struct owned *one) {
    int type = type_number(one->type);
    size_t i;
    for (i = 0; i < function_count; i++) {
        const struct function *function = &functions[i];
        union value arguments[MOST_PARAMETERS];
        struct outcome outcome;
        unsigned at;
        int plain = function->count > 0 && function->parameters[0].type == type && function->parameters[0].kind == KIND_READ;
        for (at = 1; at < function->count; at++) plain &= function->parameters[at].kind == KIND_OUT || function->parameters[at].kind == KIND_ERROR || function->parameters[at].kind == KIND_SIZE;
        if (!plain) continue;
        memset(arguments, 0, sizeof arguments);
        arguments[0].pointer = one->handle;
        for (at = 1; at < function->count; at++) arguments[at].size = function->parameters[at].kind != KIND_SIZE;
        call(function, arguments, &outcome);
        drop(function, &outcome);
    }
}

static void envelopes(void) {
    touchmark_public_key *key = types[type_number("touchmark_public_key")].make(0);
    const touchmark_public_key *keys[1];
    touchmark_verified_envelope *verified;
    touchmark_buffer *json;
#ifdef TOUCHMARK_SIGN
    touchmark_private_key *private_key = types[type_number("touchmark_private_key")].make(0);
    touchmark_signer *signer;
    const touchmark_signer *signers[1];
#endif
    touchmark_envelope *envelope;
    keys[0] = key;
#ifdef TOUCHMARK_SIGN
    OK(touchmark_signer_from_key(private_key, &signer, NULL));
    signers[0] = signer;
    OK(touchmark_envelope_sign(text("text/plain"), text("hello"), signers, 1, &envelope, NULL));
    own("touchmark_private_key", private_key);
    own("touchmark_signer", signer);
#else
    OK(touchmark_envelope_parse(bytes_named("envelope.json"), &envelope, NULL));
#endif
    OK(touchmark_envelope_verify(envelope, keys, 1, 1, &verified, NULL));
    OK(touchmark_envelope_to_json(envelope, &json, NULL));
    own("touchmark_public_key", key);
    own("touchmark_envelope", envelope);
    own("touchmark_verified_envelope", verified);
    own("touchmark_buffer", json);
}

static void decisions(void) {
    touchmark_public_key *key = types[type_number("touchmark_public_key")].make(0);
    const touchmark_public_key *keys[1];
    touchmark_policy_builder *builder;
    touchmark_policy *policy;
    touchmark_request *request;
    touchmark_search *search;
    touchmark_verified_artifact *artifact;
    touchmark_bytes envelope = bytes_named("envelope.json");
    keys[0] = key;
    OK(touchmark_policy_builder_from_keys(keys, 1, 1, &builder, NULL));
    OK(touchmark_policy_builder_build(builder, &policy, NULL));
    OK(touchmark_request_new(policy, bytes_named("digest"), AT, &request, NULL));
    OK(touchmark_request_envelopes(request, &envelope, 1, NULL));
    OK(touchmark_search_new(request, &search, NULL));
    OK(touchmark_verify_manifest(policy, bytes_named("manifest.json"), &envelope, 1, AT, &artifact, NULL));
    own("touchmark_public_key", key);
    own("touchmark_policy_builder", builder);
    own("touchmark_policy", policy);
    own("touchmark_request", request);
    own("touchmark_search", search);
    own("touchmark_verified_artifact", artifact);
}

static void trust(void) {
    touchmark_tuf_client *client = types[type_number("touchmark_tuf_client")].make(7);
    touchmark_standing *standing;
    touchmark_policy_builder *builder;
    touchmark_policy *policy;
    touchmark_verified_artifact *artifact;
    touchmark_bytes envelope = bytes_named("envelope.json");
    OK(touchmark_tuf_client_standing(client, bytes_named("name"), &standing, NULL));
    OK(touchmark_policy_builder_from_standing(standing, &builder, NULL));
    OK(touchmark_policy_builder_set_name(builder, bytes_named("name"), NULL));
    OK(touchmark_policy_builder_build(builder, &policy, NULL));
    OK(touchmark_verify_manifest(policy, bytes_named("manifest.json"), &envelope, 1, AT, &artifact, NULL));
    own("touchmark_tuf_client", client);
    own("touchmark_standing", standing);
    own("touchmark_policy_builder", builder);
    own("touchmark_policy", policy);
    own("touchmark_verified_artifact", artifact);
}

#ifdef TOUCHMARK_SUPPLY_CHAIN
static void supply_chains(void) {
    touchmark_supply_chain *chain = types[type_number("touchmark_supply_chain")].make(2);
    touchmark_verified_supply_chain *verified;
    touchmark_error *error = NULL;
    CHECK(touchmark_supply_chain_provide_bytes(chain, text("late"), &error) != TOUCHMARK_STATUS_OK);
    OK(touchmark_supply_chain_finish(chain, &verified, NULL));
    own("touchmark_supply_chain", chain);
    own("touchmark_verified_supply_chain", verified);
    own("touchmark_error", error);
}
#endif

#ifdef TOUCHMARK_IO
static void sources(void) {
    touchmark_source *source = types[type_number("touchmark_source")].make(0);
    touchmark_policy *policy = types[type_number("touchmark_policy")].make(0);
    touchmark_policy_file *file = types[type_number("touchmark_policy_file")].make(0);
    touchmark_verified_artifact *artifact, *other;
    OK(touchmark_source_verify(source, policy, AT, &artifact, NULL));
    OK(touchmark_policy_file_verify(file, source, text(""), text(""), AT, &other, NULL));
    own("touchmark_source", source);
    own("touchmark_policy", policy);
    own("touchmark_policy_file", file);
    own("touchmark_verified_artifact", artifact);
    own("touchmark_verified_artifact", other);
}
#endif

/* The order of that number: its digits say which of the rest is freed next. */
static void free_in_order(unsigned long number) {
    unsigned i, next;
    while (owned_count > 0) {
        next = (unsigned)(number % owned_count);
        number /= owned_count;
        types[type_number(owned[next].type)].free(owned[next].handle);
        owned[next] = owned[--owned_count];
        for (i = 0; i < owned_count; i++) use(&owned[i]);
    }
}

int main(int count, char **words) {
    static void (*const makers[])(void) = {
        envelopes, decisions, trust,
#ifdef TOUCHMARK_SUPPLY_CHAIN
        supply_chains,
#endif
#ifdef TOUCHMARK_IO
        sources,
#endif
    };
    unsigned long every = count > 2 ? strtoul(words[2], NULL, 10) : 1, orders = 0, number, all;
    size_t i;
    unsigned at;
    tell_of_crashes();
    asked_for = "orders of freeing";
    read_fixtures(words[1]);
    for (i = 0; i < sizeof(makers) / sizeof(*makers); i++) for (number = 0, all = 1; number < all; number += every) {
        makers[i]();
        for (at = 1, all = 1; at <= owned_count; at++) all *= at;
        free_in_order(number);
        orders++;
    }
    free_shared();
    free_fixtures();
    printf("orders: %lu orders of freeing what was made of each other\n", orders);
    return 0;
}
