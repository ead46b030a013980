/* Verifies an image in an OCI layout by public keys: a folder, or a tar.
 *
 *   verify_layout REFERENCE NAME THRESHOLD KEY...
 *
 * REFERENCE is oci:FOLDER:TAG or oci-archive:FILE.tar:TAG, NAME what it must have been signed as, KEY a file with a public key. Prints the digest
 * and ends with 0 if it is verified, 1 if not, 2 if it cannot be found out. Nothing is allocated here: what is read is in static memory. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <touchmark.h>

enum { MAX_KEYS = 16, MAX_KEY_FILE = 16384, VERIFIED = 0, REFUSED = 1, UNKNOWN = 2 };

static touchmark_public_key *keys[MAX_KEYS];
static size_t key_count;

static touchmark_bytes text(const char *string) {
    touchmark_bytes bytes = {NULL, 0};
    bytes.ptr = (const uint8_t *)string;
    bytes.len = strlen(string);
    return bytes;
}

/* Tells why, and gives the exit code. */
static int refuse(const char *what, touchmark_status status, touchmark_error *error) {
    touchmark_bytes message = touchmark_error_message(error);
    fprintf(stderr, "%s: %.*s\n", what, (int)message.len, (const char *)message.ptr);
    touchmark_error_free(error);
    /* 3xx to 5xx is a decision; anything else says nothing of the image. */
    return status >= 300 && status < 600 ? REFUSED : UNKNOWN;
}

static int read_key(const char *path) {
    static uint8_t content[MAX_KEY_FILE];
    touchmark_bytes bytes = {content, 0};
    touchmark_error *error = NULL;
    touchmark_status status;
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return UNKNOWN;
    }
    bytes.len = fread(content, 1, sizeof content, file);
    fclose(file);
    status = touchmark_public_key_read(bytes, &keys[key_count], &error);
    if (status != TOUCHMARK_STATUS_OK) return refuse(path, status, error);
    key_count++;
    return VERIFIED;
}

static int verify(const char *reference, const char *name, size_t threshold) {
    touchmark_policy_builder *builder = NULL;
    touchmark_policy *policy = NULL;
    touchmark_source *source = NULL;
    touchmark_verified_artifact *artifact = NULL;
    touchmark_error *error = NULL;
    int result = VERIFIED;
    touchmark_status status =
        touchmark_policy_builder_from_keys((const touchmark_public_key *const *)keys, key_count, threshold, &builder, &error);
    if (status == TOUCHMARK_STATUS_OK) status = touchmark_policy_builder_set_name(builder, text(name), &error);
    if (status == TOUCHMARK_STATUS_OK) status = touchmark_policy_builder_build(builder, &policy, &error);
    if (status == TOUCHMARK_STATUS_OK) status = touchmark_source_open(text(reference), &source, &error);
    if (status == TOUCHMARK_STATUS_OK) status = touchmark_source_verify(source, policy, (int64_t)time(NULL), &artifact, &error);
    if (status == TOUCHMARK_STATUS_OK) {
        /* What is used from here on is this digest: a tag may have been moved meanwhile. */
        touchmark_bytes digest = touchmark_verified_artifact_digest(artifact);
        printf("%.*s\n", (int)digest.len, (const char *)digest.ptr);
    } else {
        result = refuse(reference, status, error);
    }
    touchmark_verified_artifact_free(artifact);
    touchmark_source_free(source);
    touchmark_policy_free(policy);
    touchmark_policy_builder_free(builder);
    return result;
}

int main(int count, char **arguments) {
    int each, result = VERIFIED;
    unsigned threshold = 0;
    if (count < 5 || count - 4 > MAX_KEYS || sscanf(arguments[3], "%u", &threshold) != 1) {
        fprintf(stderr, "usage: verify_layout REFERENCE NAME THRESHOLD KEY...\n");
        return UNKNOWN;
    }
    for (each = 4; each < count && result == VERIFIED; each++) result = read_key(arguments[each]);
    if (result == VERIFIED) result = verify(arguments[1], arguments[2], threshold);
    while (key_count > 0) touchmark_public_key_free(keys[--key_count]);
    return result;
}
