/* A panic inside the library comes back as a status. Built with the feature `test-hooks`, which no release has.

     panic */
#include "engine.h"

/* In no header. */
touchmark_status touchmark_test_panic(touchmark_error **error);

static unsigned long panicked;

/* A panic below a function of the caller, which the library has called: it stops at the inner border, and the outer call goes on. */
static touchmark_status panics(void *userdata, touchmark_bytes path, uint64_t limit, touchmark_sink *sink) {
    (void)userdata, (void)path, (void)limit, (void)sink;
    panicked++;
    return touchmark_test_panic(NULL);
}

static touchmark_status not_reached(void *userdata, touchmark_bytes file) {
    (void)userdata, (void)file;
    fail("panic.c", "a file was removed");
    return TOUCHMARK_STATUS_OK;
}

static touchmark_status stores(void *userdata, touchmark_bytes file, touchmark_bytes bytes) {
    (void)bytes;
    return not_reached(userdata, file);
}

int main(void) {
    touchmark_error *error = NULL;
    touchmark_buffer *out = NULL;
    touchmark_tuf_client *client = NULL;
    touchmark_tuf_callbacks callbacks;
    touchmark_bytes json;
    int i;
    for (i = 0; i < 100; i++) {
        CHECK(touchmark_test_panic(NULL) == TOUCHMARK_STATUS_PANIC);
        CHECK(touchmark_test_panic(&error) == TOUCHMARK_STATUS_PANIC && error != NULL);
        CHECK(touchmark_error_status(error) == TOUCHMARK_STATUS_PANIC && is_text(touchmark_error_code(error), "panic"));
        json = touchmark_error_json(error);
        CHECK(is_json(json));
        touchmark_error_free(error);
    }
    callbacks.struct_size = sizeof callbacks;
    callbacks.userdata = NULL;
    callbacks.fetch = panics;
    callbacks.load = panics;
    callbacks.store = stores;
    callbacks.remove = not_reached;
    OK(touchmark_tuf_client_new(0, AT, &client, NULL));
    CHECK(touchmark_tuf_client_drive(client, &callbacks, &error) != TOUCHMARK_STATUS_OK && error != NULL && panicked > 0);
    CHECK(is_json(touchmark_error_json(error)));
    touchmark_error_free(error);
    touchmark_tuf_client_free(client);
    /* The library works on. */
    OK(touchmark_canonical_json(text("[1]"), &out, NULL));
    touchmark_buffer_free(out);
    puts("panic: it comes back as a status, out of a callback too");
    return 0;
}
