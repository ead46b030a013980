/* What the C interface costs: an envelope is read and verified by a key that was read before.
   bench ENVELOPE PUB CALLS does so that many times; benches/bindings.py measures the process. */
#include <stdio.h>
#include <stdlib.h>

#include <touchmark.h>

enum { LARGEST = 1 << 20 };

static touchmark_bytes read_file(const char *path) {
    touchmark_bytes bytes = {NULL, 0};
    uint8_t *content = malloc(LARGEST);
    FILE *file = fopen(path, "rb");
    if (content == NULL || file == NULL) {
        fprintf(stderr, "%s cannot be read\n", path);
        exit(1);
    }
    bytes.len = fread(content, 1, LARGEST, file);
    bytes.ptr = content;
    fclose(file);
    return bytes;
}

static void check(touchmark_status status) {
    if (status != TOUCHMARK_STATUS_OK) {
        fprintf(stderr, "status %u\n", (unsigned)status);
        exit(1);
    }
}

int main(int argc, char **argv) {
    touchmark_public_key *key;
    long call, calls;
    if (argc != 4) {
        fprintf(stderr, "usage: bench ENVELOPE PUB CALLS\n");
        return 2;
    }
    touchmark_bytes document = read_file(argv[1]), pem = read_file(argv[2]);
    check(touchmark_public_key_read(pem, &key, NULL));
    calls = strtol(argv[3], NULL, 10);
    for (call = 0; call < calls; call++) {
        const touchmark_public_key *keys[1];
        touchmark_envelope *envelope;
        touchmark_verified_envelope *verified;
        keys[0] = key;
        check(touchmark_envelope_parse(document, &envelope, NULL));
        check(touchmark_envelope_verify(envelope, keys, 1, 1, &verified, NULL));
        touchmark_verified_envelope_free(verified);
        touchmark_envelope_free(envelope);
    }
    touchmark_public_key_free(key);
    free((void *)pem.ptr);
    free((void *)document.ptr);
    return 0;
}
