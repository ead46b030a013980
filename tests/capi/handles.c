/* Makes each kind of handle, in each state that it can be in: `make_T(variety)` for every opaque type of the header. */
#include "engine.h"

static touchmark_public_key *public_key(unsigned variety) {
    touchmark_public_key *key = NULL;
    OK(touchmark_public_key_read(bytes_named(variety == 0 ? "publisher.pub" : "owner.pub"), &key, NULL));
    return key;
}
void *make_touchmark_public_key(unsigned variety) { return variety > 1 ? NULL : public_key(variety); }

void *make_touchmark_buffer(unsigned variety) {
    touchmark_buffer *buffer = NULL;
    if (variety > 0) return NULL;
    OK(touchmark_canonical_json(bytes_named("json"), &buffer, NULL));
    return buffer;
}

void *make_touchmark_hasher(unsigned variety) {
    touchmark_hasher *hasher = NULL;
    touchmark_buffer *digest = NULL;
    if (variety > 2) return NULL;
    OK(touchmark_hasher_new(TOUCHMARK_DIGEST_SHA256, &hasher, NULL));
    if (variety > 0) OK(touchmark_hasher_update(hasher, bytes_named("json"), NULL));
    if (variety > 1) {
        OK(touchmark_hasher_finish(hasher, &digest, NULL));
        touchmark_buffer_free(digest);
    }
    return hasher;
}

void *make_touchmark_envelope(unsigned variety) {
    touchmark_envelope *envelope = NULL;
    if (variety > 0) return NULL;
    OK(touchmark_envelope_parse(bytes_named("envelope.json"), &envelope, NULL));
    return envelope;
}

void *make_touchmark_verified_envelope(unsigned variety) {
    touchmark_verified_envelope *verified = NULL;
    touchmark_envelope *envelope = make_touchmark_envelope(0);
    const touchmark_public_key *key = public_key(0);
    if (variety == 0) OK(touchmark_envelope_verify(envelope, &key, 1, 1, &verified, NULL));
    touchmark_envelope_free(envelope);
    touchmark_public_key_free((touchmark_public_key *)(uintptr_t)key);
    return verified;
}

/* Steps a client until it is done, or for at most `most` steps. */
static void refresh(touchmark_tuf_client *client, int most) {
    touchmark_tuf_step step;
    touchmark_bytes bytes;
    for (; most != 0; most--) {
        OK(touchmark_tuf_client_next(client, &step, NULL));
        if (step.kind == TOUCHMARK_TUF_DONE) return;
        if (step.kind == TOUCHMARK_TUF_STORE || step.kind == TOUCHMARK_TUF_REMOVE) {
            OK(touchmark_tuf_client_provide_done(client, NULL));
            continue;
        }
        if (step.kind == TOUCHMARK_TUF_LOAD && is_text(step.name, "root.json")) bytes = read_data("trust/metadata", text("1.root.json"));
        else bytes = step.kind == TOUCHMARK_TUF_FETCH ? read_data("trust/metadata", step.name) : text("");
        if (bytes.len > 0) {
            OK(touchmark_tuf_client_provide_bytes(client, bytes, NULL));
            free((void *)(uintptr_t)bytes.ptr);
        } else OK(touchmark_tuf_client_provide_absent(client, NULL));
    }
}

/* Fresh; before a LOAD; before a STORE or FETCH; refreshed; looking for a target; found it; failed; listing a name. */
void *make_touchmark_tuf_client(unsigned variety) {
    touchmark_tuf_client *client = NULL;
    touchmark_tuf_step step;
    if (variety > 7) return NULL;
    OK(touchmark_tuf_client_new(0, AT, &client, NULL));
    if (variety == 1) OK(touchmark_tuf_client_next(client, &step, NULL));
    if (variety == 2) do {
        refresh(client, 1);
        OK(touchmark_tuf_client_next(client, &step, NULL));
    } while (step.kind != TOUCHMARK_TUF_STORE && step.kind != TOUCHMARK_TUF_DONE);
    if (variety == 6) {
        OK(touchmark_tuf_client_next(client, &step, NULL));
        (void)touchmark_tuf_client_provide_bytes(client, text("no JSON"), NULL);
    } else if (variety >= 3) refresh(client, -1);
    if (variety == 4 || variety == 5) OK(touchmark_tuf_client_look_up(client, bytes_named("target"), NULL));
    if (variety == 7) OK(touchmark_tuf_client_look_up(client, bytes_named("name"), NULL));
    if (variety == 4) OK(touchmark_tuf_client_next(client, &step, NULL));
    if (variety == 5 || variety == 7) refresh(client, -1);
    return client;
}

void *make_touchmark_tuf_target(unsigned variety) {
    touchmark_tuf_client *client = make_touchmark_tuf_client(5);
    touchmark_tuf_target *target = NULL;
    if (variety == 0) OK(touchmark_tuf_client_found(client, &target, NULL));
    touchmark_tuf_client_free(client);
    return target;
}

void *make_touchmark_standing(unsigned variety) {
    touchmark_tuf_client *client = make_touchmark_tuf_client(7);
    touchmark_standing *standing = NULL;
    if (variety == 0) OK(touchmark_tuf_client_standing(client, bytes_named("name"), &standing, NULL));
    touchmark_tuf_client_free(client);
    return standing;
}

/* By keys; by a standing; by keys with every demand. */
void *make_touchmark_policy_builder(unsigned variety) {
    touchmark_policy_builder *builder = NULL;
    const touchmark_public_key *key;
    touchmark_standing *standing;
    if (variety > 2) return NULL;
    if (variety == 1) {
        standing = make_touchmark_standing(0);
        OK(touchmark_policy_builder_from_standing(standing, &builder, NULL));
        touchmark_standing_free(standing);
        return builder;
    }
    key = public_key(0);
    OK(touchmark_policy_builder_from_keys(&key, 1, 1, &builder, NULL));
    if (variety == 2) {
        OK(touchmark_policy_builder_set_name(builder, bytes_named("name"), NULL));
        OK(touchmark_policy_builder_require_annotation(builder, bytes_named("key"), bytes_named("value"), NULL));
        OK(touchmark_policy_builder_require_predicate(builder, bytes_named("predicate"), NULL));
    }
    touchmark_public_key_free((touchmark_public_key *)(uintptr_t)key);
    return builder;
}

void *make_touchmark_policy(unsigned variety) {
    touchmark_policy_builder *builder = make_touchmark_policy_builder(variety);
    touchmark_policy *policy = NULL;
    if (builder == NULL) return NULL;
    OK(touchmark_policy_builder_build(builder, &policy, NULL));
    touchmark_policy_builder_free(builder);
    return policy;
}

void *make_touchmark_policy_document(unsigned variety) {
    touchmark_policy_document *document = NULL;
    if (variety == 0) OK(touchmark_policy_document_read(bytes_named("policy.json"), TOUCHMARK_ORIGIN_LOCAL, &document, NULL));
    if (variety == 1) OK(touchmark_policy_document_read(bytes_named("signed.policy"), TOUCHMARK_ORIGIN_SIGNED, &document, NULL));
    return document;
}

void *make_touchmark_request(unsigned variety) {
    touchmark_policy *policy;
    touchmark_request *request = NULL;
    touchmark_bytes envelope;
    if (variety > 3) return NULL;
    policy = make_touchmark_policy(0);
    OK(touchmark_request_new(policy, bytes_named("digest"), AT, &request, NULL));
    touchmark_policy_free(policy);
    envelope = bytes_named("envelope.json");
    if (variety == 1) OK(touchmark_request_envelopes(request, &envelope, 1, NULL));
    if (variety == 2) OK(touchmark_request_deep(request, NULL));
    if (variety == 3) OK(touchmark_request_platform(request, bytes_named("platform"), NULL));
    return request;
}

/* Answers a search from data/image until it needs `stop` or is done. */
static void answer(touchmark_search *search, uint32_t stop) {
    touchmark_need need;
    touchmark_bytes bytes;
    for (;;) {
        OK(touchmark_search_next(search, &need, NULL));
        if (need.kind == TOUCHMARK_NEED_DONE || need.kind == stop) return;
        if (need.kind == TOUCHMARK_NEED_REFERRERS) {
            bytes = is_text(bytes_named("digest"), "") || need.digest.len != bytes_named("digest").len
                || memcmp(need.digest.ptr, bytes_named("digest").ptr, need.digest.len) != 0 ? text("{\"schemaVersion\":2,\"manifests\":[]}") : bytes_named("referrers.json");
            OK(touchmark_search_provide_referrers(search, bytes, 1, 0, NULL));
            continue;
        }
        CHECK(need.digest.len == 71);
        bytes.ptr = need.digest.ptr + 7;
        bytes.len = 64;
        bytes = read_data("image/blobs/sha256", bytes);
        CHECK(bytes.len > 0);
        if (need.kind == TOUCHMARK_NEED_HASH) OK(touchmark_search_provide_hash(search, need.digest, bytes.len, NULL));
        else OK(touchmark_search_provide_bytes(search, bytes, NULL));
        free((void *)(uintptr_t)bytes.ptr);
    }
}

/* Fresh; needs a manifest; needs referrers; done; finished; needs a hash. */
void *make_touchmark_search(unsigned variety) {
    touchmark_request *request;
    touchmark_search *search = NULL;
    touchmark_verified_artifact *artifact = NULL;
    if (variety > 5) return NULL;
    request = make_touchmark_request(variety == 5 ? 2 : 0);
    OK(touchmark_search_new(request, &search, NULL));
    touchmark_request_free(request);
    if (variety == 1) answer(search, TOUCHMARK_NEED_MANIFEST);
    if (variety == 2) answer(search, TOUCHMARK_NEED_REFERRERS);
    if (variety == 3 || variety == 4) answer(search, UINT32_MAX);
    if (variety == 4) OK(touchmark_search_finish(search, &artifact, NULL));
    if (variety == 5) answer(search, TOUCHMARK_NEED_HASH);
    touchmark_verified_artifact_free(artifact);
    return search;
}

void *make_touchmark_verified_artifact(unsigned variety) {
    touchmark_verified_artifact *artifact = NULL;
    touchmark_search *search;
    touchmark_policy *policy;
    touchmark_bytes envelope = bytes_named("envelope.json");
    if (variety == 0) {
        policy = make_touchmark_policy(0);
        OK(touchmark_verify_manifest(policy, bytes_named("manifest.json"), &envelope, 1, AT, &artifact, NULL));
        touchmark_policy_free(policy);
    } else if (variety == 1) {
        search = make_touchmark_search(3);
        OK(touchmark_search_finish(search, &artifact, NULL));
        touchmark_search_free(search);
    }
    return artifact;
}

#ifdef TOUCHMARK_SUPPLY_CHAIN
/* Fresh; needs something; done; finished. */
void *make_touchmark_supply_chain(unsigned variety) {
    touchmark_supply_chain *chain = NULL;
    touchmark_supply_chain_need need;
    touchmark_verified_supply_chain *verified = NULL;
    touchmark_bytes bytes;
    const touchmark_public_key *key;
    if (variety > 3) return NULL;
    key = public_key(1);
    OK(touchmark_supply_chain_new(bytes_named("root.layout"), &key, 1, NULL, 0, AT, &chain, NULL));
    touchmark_public_key_free((touchmark_public_key *)(uintptr_t)key);
    for (; variety > 0;) {
        OK(touchmark_supply_chain_next(chain, &need, NULL));
        if (need.kind == TOUCHMARK_SUPPLY_CHAIN_DONE || variety == 1) break;
        if (need.kind == TOUCHMARK_SUPPLY_CHAIN_NAMES) {
            bytes = bytes_named("link.name");
            OK(touchmark_supply_chain_provide_names(chain, &bytes, 1, 1, NULL));
            continue;
        }
        bytes = need.kind == TOUCHMARK_SUPPLY_CHAIN_FILE ? read_data("links", need.name) : text("");
        if (bytes.len > 0) {
            OK(touchmark_supply_chain_provide_bytes(chain, bytes, NULL));
            free((void *)(uintptr_t)bytes.ptr);
        } else OK(touchmark_supply_chain_provide_absent(chain, NULL));
    }
    if (variety == 3) OK(touchmark_supply_chain_finish(chain, &verified, NULL));
    touchmark_verified_supply_chain_free(verified);
    return chain;
}

void *make_touchmark_verified_supply_chain(unsigned variety) {
    touchmark_supply_chain *chain = make_touchmark_supply_chain(2);
    touchmark_verified_supply_chain *verified = NULL;
    if (variety == 0) OK(touchmark_supply_chain_finish(chain, &verified, NULL));
    touchmark_supply_chain_free(chain);
    return verified;
}
#endif

#ifdef TOUCHMARK_SIGN
void *make_touchmark_private_key(unsigned variety) {
    touchmark_private_key *key = NULL;
    if (variety == 0) OK(touchmark_private_key_read(bytes_named("publisher"), text(""), &key, NULL));
    if (variety == 1) OK(touchmark_private_key_generate(TOUCHMARK_KEY_ED25519, &key, NULL));
    return key;
}

/* Of a key; of a callback that signs; of one that gives garbage. */
void *make_touchmark_signer(unsigned variety) {
    touchmark_signer *signer = NULL;
    touchmark_private_key *private_key;
    touchmark_public_key *key;
    if (variety > 2) return NULL;
    if (variety == 0) {
        private_key = make_touchmark_private_key(0);
        OK(touchmark_signer_from_key(private_key, &signer, NULL));
        touchmark_private_key_free(private_key);
        return signer;
    }
    key = public_key(0);
    OK(touchmark_signer_from_callback(key, sign_message, variety == 1 ? NULL : &behaviours[GARBAGE], &signer, NULL));
    touchmark_public_key_free(key);
    return signer;
}
#endif

#ifdef TOUCHMARK_IO
void *make_touchmark_source(unsigned variety) {
    touchmark_source *source = NULL;
    if (variety < 2) OK(touchmark_source_open(bytes_named(variety == 0 ? "layout.reference" : "tar.reference"), &source, NULL));
    return source;
}

void *make_touchmark_policy_file(unsigned variety) {
    touchmark_policy_file *file = NULL;
    if (variety == 0) OK(touchmark_policy_file_open(bytes_named("policy.path"), &file, NULL));
    return file;
}

/* Each with a store of its own, below the working folder. */
void *make_touchmark_trust_root(unsigned variety) {
    static unsigned long number;
    touchmark_trust_root *root = NULL;
    char store[64];
    sprintf(store, "store-%lu", ++number);
    if (variety == 0) OK(touchmark_trust_root_open(bytes_named("root.json"), bytes_named("metadata.path"), text(store), AT, &root, NULL));
    if (variety == 1) OK(touchmark_trust_root_open_with(bytes_named("root.json"), fetch_metadata, NULL, NULL, text(store), AT, &root, NULL));
    return root;
}
#endif

void *make_touchmark_error(unsigned variety) {
    touchmark_error *error = NULL;
    if (variety == 0) CHECK(touchmark_name_check(text("no name"), &error) != TOUCHMARK_STATUS_OK);
    return error;
}
