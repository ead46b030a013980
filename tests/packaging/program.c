/* What a user of the installed C library might begin with. */
#include <stdio.h>
#include <string.h>

#include <touchmark.h>

static touchmark_bytes text(const char *string) {
    touchmark_bytes bytes;
    bytes.ptr = (const uint8_t *)string;
    bytes.len = strlen(string);
    return bytes;
}

int main(void) {
    const char *wanted = "{\"a\":1,\"b\":2}";
    touchmark_buffer *canonical = NULL;
    touchmark_error *error = NULL;
    touchmark_bytes bytes;
    touchmark_status status;
    int wrong = 0;

    wrong |= touchmark_abi_version() != TOUCHMARK_ABI_VERSION;
    status = touchmark_canonical_json(text("{ \"b\": 2, \"a\": 1 }"), &canonical, &error);
    wrong |= status != TOUCHMARK_STATUS_OK || error != NULL;
    bytes = touchmark_buffer_bytes(canonical);
    wrong |= bytes.len != strlen(wanted) || memcmp(bytes.ptr, wanted, bytes.len) != 0;
    touchmark_buffer_free(canonical);

    status = touchmark_canonical_json(text("{"), &canonical, &error);
    wrong |= status != TOUCHMARK_STATUS_MALFORMED_JSON || canonical != NULL || error == NULL;
    touchmark_error_free(error);
#ifdef TOUCHMARK_SIGN
    wrong |= (touchmark_features() & TOUCHMARK_FEATURE_SIGN) == 0;
    touchmark_private_key_free(NULL);
#else
    wrong |= touchmark_features() & (TOUCHMARK_FEATURE_SIGN | TOUCHMARK_FEATURE_IO);
#endif
    printf("%s\n", wrong ? "wrong" : "right");
    return wrong;
}
