/* What each function is ordinarily called with: one word for each parameter that is a number, bytes, an array or a handle.
   Of a handle, or an array of one, the word is its variety (handles.c), of bytes their name (fixtures.c). A function that is not here is an error. */
#include "engine.h"

struct ordinary_call { const char *function; const char *words; touchmark_status status; };

#define OK_CALL TOUCHMARK_STATUS_OK
static const struct ordinary_call calls[] = {
    {"touchmark_abi_version", "", OK_CALL},
    {"touchmark_version", "", OK_CALL},
    {"touchmark_status_name", "300", OK_CALL},
    {"touchmark_features", "", OK_CALL},
    {"touchmark_error_status", "0", OK_CALL},
    {"touchmark_error_code", "0", OK_CALL},
    {"touchmark_error_message", "0", OK_CALL},
    {"touchmark_error_json", "0", OK_CALL},
    {"touchmark_buffer_bytes", "0", OK_CALL},
    /* No sink outlives its callback: those with one are called by callbacks (fixtures.c). */
    {"touchmark_sink_append", "- json", TOUCHMARK_STATUS_NULL_POINTER},
    {"touchmark_sink_fail", "- json", TOUCHMARK_STATUS_NULL_POINTER},
    {"touchmark_canonical_json", "json", OK_CALL},
    {"touchmark_digest", "1 json", OK_CALL},
    {"touchmark_hasher_new", "2", OK_CALL},
    {"touchmark_hasher_update", "0 json", OK_CALL},
    {"touchmark_hasher_finish", "1", OK_CALL},
    {"touchmark_name_check", "name", OK_CALL},
    {"touchmark_public_key_read", "publisher.pub", OK_CALL},
    {"touchmark_public_key_from_raw", "1 raw", OK_CALL},
    {"touchmark_public_key_algorithm", "0", OK_CALL},
    {"touchmark_public_key_raw", "0", OK_CALL},
    {"touchmark_public_key_id", "0", OK_CALL},
    {"touchmark_public_key_to_pem", "0", OK_CALL},
    {"touchmark_public_key_verify", "0 message signature", OK_CALL},
    {"touchmark_private_key_generate", "1", OK_CALL},
    {"touchmark_private_key_read", "publisher empty", OK_CALL},
    {"touchmark_private_key_to_pem", "0", OK_CALL},
    {"touchmark_private_key_to_encrypted_pem", "0 passphrase", OK_CALL},
    {"touchmark_private_key_public", "0", OK_CALL},
    {"touchmark_signer_from_key", "0", OK_CALL},
    {"touchmark_signer_from_callback", "0", OK_CALL},
    {"touchmark_envelope_parse", "envelope.json", OK_CALL},
    {"touchmark_envelope_payload_type", "0", OK_CALL},
    {"touchmark_envelope_untrusted_payload", "0", OK_CALL},
    {"touchmark_envelope_signature_count", "0", OK_CALL},
    {"touchmark_envelope_signature_keyid", "0 0", OK_CALL},
    {"touchmark_envelope_to_json", "0", OK_CALL},
    {"touchmark_envelope_verify", "0 0 1", OK_CALL},
    {"touchmark_verified_envelope_payload", "0", OK_CALL},
    {"touchmark_verified_envelope_payload_type", "0", OK_CALL},
    {"touchmark_verified_envelope_key_count", "0", OK_CALL},
    {"touchmark_verified_envelope_key_id", "0 0", OK_CALL},
    {"touchmark_envelope_sign", "payload.type payload 0", OK_CALL},
    {"touchmark_envelope_add_signature", "0 0", OK_CALL},
    {"touchmark_sign_manifest", "manifest.json empty name pairs 1790000000 0 0", OK_CALL},
    {"touchmark_policy_builder_from_keys", "0 1", OK_CALL},
    {"touchmark_policy_builder_from_standing", "0", OK_CALL},
    {"touchmark_policy_builder_set_name", "0 name", OK_CALL},
    {"touchmark_policy_builder_require_annotation", "0 key value", OK_CALL},
    {"touchmark_policy_builder_require_predicate", "0 predicate", OK_CALL},
    {"touchmark_policy_builder_accept_only", "1 3", OK_CALL},
    {"touchmark_policy_builder_by_role", "1 role", OK_CALL},
    {"touchmark_policy_builder_require_supply_chain", "0 root.layout 1", OK_CALL},
    {"touchmark_policy_builder_build", "0", OK_CALL},
    {"touchmark_policy_document_read", "policy.json 1", OK_CALL},
    {"touchmark_policy_document_check", "0", OK_CALL},
    {"touchmark_policy_document_decide", "0 empty name", OK_CALL},
    {"touchmark_verify_manifest", "0 manifest.json envelope.json at", OK_CALL},
    {"touchmark_verified_artifact_digest", "0", OK_CALL},
    {"touchmark_verified_artifact_media_type", "0", OK_CALL},
    {"touchmark_verified_artifact_size", "0", OK_CALL},
    {"touchmark_verified_artifact_manifest", "0", OK_CALL},
    {"touchmark_verified_artifact_name", "0", OK_CALL},
    {"touchmark_verified_artifact_to_json", "0", OK_CALL},
    {"touchmark_request_new", "0 digest at", OK_CALL},
    {"touchmark_request_covered_by", "0 index.digest", OK_CALL},
    {"touchmark_request_platform", "0 platform", OK_CALL},
    {"touchmark_request_envelopes", "0 envelope.json", OK_CALL},
    {"touchmark_request_deep", "0", OK_CALL},
    {"touchmark_search_new", "0", OK_CALL},
    {"touchmark_search_next", "0", OK_CALL},
    {"touchmark_search_provide_bytes", "1 manifest.json", OK_CALL},
    {"touchmark_search_provide_hash", "5 other.digest 2", OK_CALL},
    {"touchmark_search_provide_referrers", "2 referrers.json 1 0", OK_CALL},
    {"touchmark_search_provide_failure", "1 2 json", OK_CALL},
    {"touchmark_search_finish", "3", OK_CALL},
    {"touchmark_tuf_client_new", "0 at", OK_CALL},
    {"touchmark_tuf_client_next", "0", OK_CALL},
    {"touchmark_tuf_client_provide_bytes", "1 root.json", OK_CALL},
    {"touchmark_tuf_client_provide_absent", "1", OK_CALL},
    {"touchmark_tuf_client_provide_done", "2", OK_CALL},
    {"touchmark_tuf_client_provide_failure", "1 2 json", OK_CALL},
    {"touchmark_tuf_client_look_up", "3 target", OK_CALL},
    {"touchmark_tuf_client_found", "5", OK_CALL},
    {"touchmark_tuf_client_standing", "7 name", OK_CALL},
    {"touchmark_tuf_client_state_json", "3", OK_CALL},
    {"touchmark_tuf_client_drive", "0", OK_CALL},
    {"touchmark_tuf_target_length", "0", OK_CALL},
    {"touchmark_tuf_target_role", "0", OK_CALL},
    {"touchmark_tuf_target_fetch_path", "0", OK_CALL},
    {"touchmark_tuf_target_check", "0 program", OK_CALL},
    {"touchmark_tuf_target_to_json", "0", OK_CALL},
    {"touchmark_standing_to_json", "0", OK_CALL},
    {"touchmark_standing_expires", "0", OK_CALL},
    {"touchmark_supply_chain_new", "root.layout 1 - at", OK_CALL},
    {"touchmark_supply_chain_next", "0", OK_CALL},
    {"touchmark_supply_chain_provide_bytes", "1 link", OK_CALL},
    {"touchmark_supply_chain_provide_absent", "1", OK_CALL},
    /* Names are asked for only of steps that take certificates, which this layout has not. */
    {"touchmark_supply_chain_provide_names", "1 link.name 1", TOUCHMARK_STATUS_WRONG_STATE},
    {"touchmark_supply_chain_provide_failure", "1 2 json", OK_CALL},
    {"touchmark_supply_chain_finish", "2", OK_CALL},
    {"touchmark_verified_supply_chain_to_json", "0", OK_CALL},
    {"touchmark_source_open", "layout.reference", OK_CALL},
    {"touchmark_source_digest", "0", OK_CALL},
    {"touchmark_source_manifest", "0", OK_CALL},
    {"touchmark_source_verify", "0 0 at", OK_CALL},
    {"touchmark_source_verify_request", "0 0", OK_CALL},
    /* An archive is not written to, and data/ is not either. */
    {"touchmark_source_attach", "1 0", TOUCHMARK_STATUS_UNSUPPORTED},
    {"touchmark_policy_file_open", "policy.path", OK_CALL},
    {"touchmark_policy_file_verify", "0 0 name empty at", OK_CALL},
    {"touchmark_trust_root_open", "root.json metadata.path store.path at", OK_CALL},
    {"touchmark_trust_root_open_with", "root.json store.path at", OK_CALL},
    {"touchmark_trust_root_standing", "0 name", OK_CALL},
    {"touchmark_trust_root_verify", "0 0 name empty at", OK_CALL},
    {"touchmark_trust_root_target", "0 listed", OK_CALL},
    {"touchmark_trust_root_notes_json", "0", OK_CALL},
    {"touchmark_supply_chain_verify_folder", "root.layout 1 folder.links - at", OK_CALL}
};

static const struct ordinary_call *find(const struct function *function) {
    size_t i;
    for (i = 0; i < sizeof(calls) / sizeof(*calls); i++) if (strcmp(calls[i].function, function->name) == 0) return &calls[i];
    fail(function->name, "no test calls it: give it a line in arguments.c");
    return NULL;
}

touchmark_status ordinary_status(const struct function *function) {
    return function->count > 0 && function->parameters[0].kind == KIND_FREED ? TOUCHMARK_STATUS_OK : find(function)->status;
}

/* The next word, in a place that the next call takes over. */
static const char *word(const char **words) {
    static __thread char out[64];
    size_t length = strcspn(*words, " ");
    if (length == 0) fail("arguments.c", "too few words");
    sprintf(out, "%.*s", (int)(length < sizeof out ? length : sizeof out - 1), *words);
    *words += length;
    while (**words == ' ') (*words)++;
    return out;
}

/* What the arguments point to, until the thread asks for others. */
static __thread touchmark_tuf_callbacks callbacks;
static __thread touchmark_bytes one_bytes;
static __thread touchmark_pair one_pair;
static __thread void *one_handle[1];

static void *handle(const struct parameter *parameter, const char *name, int makes) {
    unsigned variety = (unsigned)strtoul(name, NULL, 10);
    void *made;
    if (*name == '-' || (parameter->kind != KIND_READ && !makes)) return NULL;
    made = parameter->kind == KIND_READ ? shared(parameter->type, variety) : types[parameter->type].make(variety);
    if (made == NULL) fail(types[parameter->type].name, "there is no such variety");
    return made;
}

static void fill(const struct function *function, union value *arguments, int makes) {
    const char *words = function->count > 0 && function->parameters[0].kind == KIND_FREED ? "0" : find(function)->words;
    unsigned i;
    size_t count = 0;
    memset(arguments, 0, sizeof(*arguments) * MOST_PARAMETERS);
    for (i = 0; i < function->count; i++) {
        const struct parameter *parameter = &function->parameters[i];
        union value *argument = &arguments[i];
        const char *name;
        switch (parameter->kind) {
        case KIND_BYTES: argument->bytes = bytes_named(word(&words)); break;
        case KIND_U32: argument->u32 = (uint32_t)strtoul(word(&words), NULL, 10); break;
        case KIND_U64: argument->u64 = strtoul(word(&words), NULL, 10); break;
        case KIND_I64:
            name = word(&words);
            argument->i64 = strcmp(name, "at") == 0 ? AT : (int64_t)strtoll(name, NULL, 10);
            break;
        case KIND_SIZE: argument->size = (size_t)strtoul(word(&words), NULL, 10); break;
        case KIND_READ: case KIND_CHANGED: case KIND_FREED: argument->pointer = handle(parameter, word(&words), makes); break;
        case KIND_OUT: case KIND_ERROR: case KIND_FILLED: argument->size = 1; break;
        case KIND_BYTES_ARRAY:
            one_bytes = bytes_named(word(&words));
            argument->pointer = &one_bytes;
            count = 1;
            break;
        case KIND_PAIR_ARRAY:
            count = *word(&words) != '-';
            one_pair.key = bytes_named("key");
            one_pair.value = bytes_named("value");
            argument->pointer = count == 0 ? NULL : &one_pair;
            break;
        case KIND_HANDLE_ARRAY:
            one_handle[0] = shared(parameter->type, (unsigned)strtoul(word(&words), NULL, 10));
            argument->pointer = one_handle;
            count = 1;
            break;
        case KIND_COUNT: argument->size = count; break;
        case KIND_CALLBACKS:
            callbacks.struct_size = sizeof callbacks;
            callbacks.userdata = NULL;
            callbacks.fetch = fetch_metadata;
            callbacks.load = load_file;
            callbacks.store = store_file;
            callbacks.remove = remove_file;
            argument->pointer = &callbacks;
            break;
        case KIND_FUNCTION: argument->function = ordinary_callback(function->name); break;
        case KIND_USERDATA: argument->pointer = NULL; break;
        }
    }
    if (*words != '\0' && !(function->count > 0 && function->parameters[0].kind == KIND_FREED)) fail(function->name, "too many words in arguments.c");
}

void ordinary(const struct function *function, union value *arguments) { fill(function, arguments, 1); }

void ordinary_without(const struct function *function, union value *arguments) { fill(function, arguments, 0); }

void (*ordinary_callback(const char *function))(void) {
#ifdef TOUCHMARK_SIGN
    if (strcmp(function, "touchmark_signer_from_callback") == 0) return (void (*)(void))sign_message;
#endif
    if (strcmp(function, "touchmark_trust_root_open_with") == 0) return (void (*)(void))fetch_metadata;
    fail(function, "no callback is known for it");
    return NULL;
}

void drop_ordinary(const struct function *function, union value *arguments) {
    unsigned i;
    for (i = 0; i < function->count; i++)
        if (function->parameters[i].kind == KIND_CHANGED && arguments[i].pointer != NULL) types[function->parameters[i].type].free(arguments[i].pointer);
}
