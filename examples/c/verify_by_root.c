/* Verifies an image in an OCI layout by a trust root: whose the name is, and what is current under it, says its metadata.
 *
 *   verify_by_root ROOT METADATA STORE NAME REFERENCE [KEY=VALUE...]
 *
 * ROOT is the file root.json that was given by somebody trusted, METADATA the folder with the trust repository's metadata, STORE a folder of ours that
 * keeps what was accepted, so that nothing older is accepted later. Each KEY=VALUE is an annotation that must have been signed. Prints the digest, and
 * ends with 0 if it is verified, 1 if not, 2 if it cannot be found out. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <touchmark.h>

static touchmark_bytes text(const char *string) {
    touchmark_bytes bytes = {NULL, 0};
    bytes.ptr = (const uint8_t *)string;
    bytes.len = strlen(string);
    return bytes;
}

/* Everything that is made on the way; what never was is NULL, which may be freed. */
struct work {
    touchmark_trust_root *root;
    touchmark_verified_artifact *by_root;
    touchmark_standing *standing;
    touchmark_policy_builder *builder;
    touchmark_policy *policy;
    touchmark_source *source;
    touchmark_verified_artifact *artifact;
};

#define TRY(call)                                              \
    do {                                                       \
        touchmark_status tried = (call);                       \
        if (tried != TOUCHMARK_STATUS_OK) return tried;        \
    } while (0)

static touchmark_status verify(struct work *work, touchmark_bytes root, char **arguments, touchmark_error **error) {
    const int64_t now = (int64_t)time(NULL);
    const touchmark_bytes name = text(arguments[4]);
    touchmark_bytes one, other;
    char **annotation;
    TRY(touchmark_source_open(text(arguments[5]), &work->source, error));
    TRY(touchmark_trust_root_open(root, text(arguments[2]), text(arguments[3]), now, &work->root, error));
    /* With the policy that the repository signs itself, if it has one. */
    TRY(touchmark_trust_root_verify(work->root, work->source, name, text(""), now, &work->by_root, error));

    /* What we want beside that. */
    TRY(touchmark_trust_root_standing(work->root, name, &work->standing, error));
    TRY(touchmark_policy_builder_from_standing(work->standing, &work->builder, error));
    TRY(touchmark_policy_builder_set_name(work->builder, name, error));
    for (annotation = arguments + 6; *annotation != NULL; annotation++) {
        touchmark_bytes key = text(*annotation);
        const char *equals = strchr(*annotation, '=');
        if (equals == NULL) equals = *annotation + key.len;
        key.len = (size_t)(equals - *annotation);
        TRY(touchmark_policy_builder_require_annotation(work->builder, key, text(*equals ? equals + 1 : equals), error));
    }
    TRY(touchmark_policy_builder_build(work->builder, &work->policy, error));
    TRY(touchmark_source_verify(work->source, work->policy, now, &work->artifact, error));
    one = touchmark_verified_artifact_digest(work->by_root);
    other = touchmark_verified_artifact_digest(work->artifact);
    /* A tag that was moved in between names two artifacts, neither of which was verified by both. */
    return one.len == other.len && memcmp(one.ptr, other.ptr, one.len) == 0 ? TOUCHMARK_STATUS_OK : TOUCHMARK_STATUS_UNKNOWN;
}

int main(int count, char **arguments) {
    static uint8_t content[1 << 20];
    struct work work = {NULL, NULL, NULL, NULL, NULL, NULL, NULL};
    touchmark_bytes root = {content, 0};
    touchmark_error *error = NULL;
    touchmark_status status;
    FILE *file;
    if (count < 6) {
        fprintf(stderr, "usage: verify_by_root ROOT METADATA STORE NAME REFERENCE [KEY=VALUE...]\n");
        return 2;
    }
    file = fopen(arguments[1], "rb");
    if (file == NULL) {
        perror(arguments[1]);
        return 2;
    }
    root.len = fread(content, 1, sizeof content, file);
    fclose(file);

    status = verify(&work, root, arguments, &error);
    if (status == TOUCHMARK_STATUS_OK) {
        touchmark_bytes digest = touchmark_verified_artifact_digest(work.artifact);
        printf("%.*s\n", (int)digest.len, (const char *)digest.ptr);
    } else if (error == NULL) {
        fprintf(stderr, "the tag was moved between two decisions\n");
    } else {
        touchmark_bytes code = touchmark_error_code(error), message = touchmark_error_message(error);
        fprintf(stderr, "%.*s: %.*s\n", (int)code.len, (const char *)code.ptr, (int)message.len, (const char *)message.ptr);
    }
    touchmark_error_free(error);
    touchmark_verified_artifact_free(work.artifact);
    touchmark_source_free(work.source);
    touchmark_policy_free(work.policy);
    touchmark_policy_builder_free(work.builder);
    touchmark_standing_free(work.standing);
    touchmark_verified_artifact_free(work.by_root);
    touchmark_trust_root_free(work.root);
    if (status == TOUCHMARK_STATUS_OK) return 0;
    return status >= 300 && status < 600 ? 1 : 2;
}
