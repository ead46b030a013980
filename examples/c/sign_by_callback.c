/* Signs an image in an OCI layout with a key that the library never sees: here OpenSSL has it; a token or a service would do as well.
 *
 *   sign_by_callback PRIVATE_KEY PUBLIC_KEY NAME REFERENCE
 *
 * The keys are files, REFERENCE is oci:FOLDER:TAG. The signature is put beside the image. Ends with 0 if it was. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <touchmark.h>

static touchmark_bytes text(const char *string) {
    touchmark_bytes bytes = {NULL, 0};
    bytes.ptr = (const uint8_t *)string;
    bytes.len = strlen(string);
    return bytes;
}

/* Signs the message itself: Ed25519 hashes within, ECDSA needs to be told the hash of its curve. */
static touchmark_status sign(void *userdata, touchmark_bytes message, touchmark_sink *signature) {
    EVP_PKEY *key = userdata;
    const EVP_MD *hash = EVP_PKEY_base_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t made[256];
    size_t length = sizeof made;
    int ok = context != NULL && EVP_DigestSignInit(context, NULL, hash, NULL, key) == 1 &&
             EVP_DigestSign(context, made, &length, message.ptr, message.len) == 1;
    touchmark_bytes bytes = {NULL, 0};
    EVP_MD_CTX_free(context);
    if (!ok) {
        touchmark_sink_fail(signature, text("OpenSSL does not sign with this key"));
        return TOUCHMARK_STATUS_CALLBACK_FAILED;
    }
    bytes.ptr = made;
    bytes.len = length;
    return touchmark_sink_append(signature, bytes);
}

struct work {
    touchmark_public_key *public_key;
    touchmark_signer *signer;
    touchmark_source *source;
    touchmark_buffer *manifest;
    touchmark_envelope *envelope;
};

#define TRY(call)                                              \
    do {                                                       \
        touchmark_status tried = (call);                       \
        if (tried != TOUCHMARK_STATUS_OK) return tried;        \
    } while (0)

static touchmark_status sign_image(struct work *work, EVP_PKEY *key, touchmark_bytes public_key, const char *name, const char *reference,
                                   touchmark_error **error) {
    const touchmark_signer *signers[1];
    const touchmark_envelope *envelopes[1];
    const int64_t now = (int64_t)time(NULL);
    TRY(touchmark_public_key_read(public_key, &work->public_key, error));
    TRY(touchmark_signer_from_callback(work->public_key, sign, key, &work->signer, error));
    TRY(touchmark_source_open(text(reference), &work->source, error));
    TRY(touchmark_source_manifest(work->source, &work->manifest, error));
    signers[0] = work->signer;
    /* No media type: the manifest's own. No annotations. It never expires. */
    TRY(touchmark_sign_manifest(touchmark_buffer_bytes(work->manifest), text(""), text(name), NULL, 0, now, 0, signers, 1, &work->envelope, error));
    envelopes[0] = work->envelope;
    return touchmark_source_attach(work->source, envelopes, 1, error);
}

int main(int count, char **arguments) {
    static uint8_t content[16384];
    struct work work = {NULL, NULL, NULL, NULL, NULL};
    touchmark_bytes public_key = {content, 0};
    touchmark_error *error = NULL;
    touchmark_status status;
    EVP_PKEY *key;
    FILE *file;
    if (count != 5) {
        fprintf(stderr, "usage: sign_by_callback PRIVATE_KEY PUBLIC_KEY NAME REFERENCE\n");
        return 2;
    }
    file = fopen(arguments[1], "rb");
    key = file == NULL ? NULL : PEM_read_PrivateKey(file, NULL, NULL, NULL);
    if (file != NULL) fclose(file);
    file = fopen(arguments[2], "rb");
    if (key == NULL || file == NULL) {
        fprintf(stderr, "%s: no key\n", arguments[key == NULL ? 1 : 2]);
        if (file != NULL) fclose(file);
        EVP_PKEY_free(key);
        return 2;
    }
    public_key.len = fread(content, 1, sizeof content, file);
    fclose(file);

    status = sign_image(&work, key, public_key, arguments[3], arguments[4], &error);
    if (status != TOUCHMARK_STATUS_OK) {
        touchmark_bytes message = touchmark_error_message(error);
        fprintf(stderr, "%.*s\n", (int)message.len, (const char *)message.ptr);
    }
    touchmark_error_free(error);
    touchmark_envelope_free(work.envelope);
    touchmark_buffer_free(work.manifest);
    touchmark_source_free(work.source);
    touchmark_signer_free(work.signer);
    touchmark_public_key_free(work.public_key);
    EVP_PKEY_free(key);
    return status == TOUCHMARK_STATUS_OK ? 0 : 1;
}
