#include "glue.h"

#include "_cgo_export.h"

/* The userdata is the number of a cgo.Handle, never a pointer to Go memory. */
static uintptr_t number(void *userdata) { return (uintptr_t)userdata; }

static touchmark_status sign(void *userdata, touchmark_bytes message, touchmark_sink *sink) { return touchmarkGoSign(number(userdata), message, sink); }

static touchmark_status fetch(void *userdata, touchmark_bytes path, uint64_t limit, touchmark_sink *sink)
{
    return touchmarkGoFetch(number(userdata), 0, path, limit, sink);
}

static touchmark_status fetch_target(void *userdata, touchmark_bytes path, uint64_t limit, touchmark_sink *sink)
{
    return touchmarkGoFetch(number(userdata), 1, path, limit, sink);
}

static touchmark_status load(void *userdata, touchmark_bytes file, uint64_t limit, touchmark_sink *sink)
{
    return touchmarkGoFetch(number(userdata), 2, file, limit, sink);
}

static touchmark_status store(void *userdata, touchmark_bytes file, touchmark_bytes bytes) { return touchmarkGoStore(number(userdata), file, bytes); }

static touchmark_status remove_file(void *userdata, touchmark_bytes file) { return touchmarkGoRemove(number(userdata), file); }

touchmark_status touchmark_go_signer(const touchmark_public_key *key, uintptr_t call, touchmark_signer **out, touchmark_error **error)
{
    return touchmark_signer_from_callback(key, sign, (void *)call, out, error);
}

touchmark_status touchmark_go_drive(touchmark_tuf_client *client, uintptr_t call, touchmark_error **error)
{
    touchmark_tuf_callbacks callbacks = {sizeof(touchmark_tuf_callbacks), (void *)call, fetch, load, store, remove_file};
    return touchmark_tuf_client_drive(client, &callbacks, error);
}

touchmark_status touchmark_go_trust_root(touchmark_bytes root, uint32_t targets, uintptr_t call, touchmark_bytes store_folder, int64_t at,
                                         touchmark_trust_root **out, touchmark_error **error)
{
    return touchmark_trust_root_open_with(root, fetch, targets ? fetch_target : NULL, (void *)call, store_folder, at, out, error);
}
