/* What the C interface costs: an envelope is read and verified by a key that was read before.
   bench ENVELOPE PUB prints a line of JSON, nanoseconds for each verification: the median of rounds. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <touchmark.h>

enum { ROUNDS = 20, CALLS = 500, LARGEST = 1 << 20 };

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

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double measure(touchmark_bytes document, const touchmark_public_key *key) {
    double begin = seconds();
    int call;
    for (call = 0; call < CALLS; call++) {
        touchmark_envelope *envelope;
        touchmark_verified_envelope *verified;
        check(touchmark_envelope_parse(document, &envelope, NULL));
        check(touchmark_envelope_verify(envelope, &key, 1, 1, &verified, NULL));
        touchmark_verified_envelope_free(verified);
        touchmark_envelope_free(envelope);
    }
    return (seconds() - begin) * 1e9 / CALLS;
}

static int smaller(const void *one, const void *other) {
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

int main(int argc, char **argv) {
    touchmark_public_key *key;
    double rounds[ROUNDS];
    int round;
    if (argc != 3) {
        fprintf(stderr, "usage: bench ENVELOPE PUB\n");
        return 2;
    }
    touchmark_bytes document = read_file(argv[1]), pem = read_file(argv[2]);
    check(touchmark_public_key_read(pem, &key, NULL));
    measure(document, key);
    for (round = 0; round < ROUNDS; round++) rounds[round] = measure(document, key);
    qsort(rounds, ROUNDS, sizeof rounds[0], smaller);
    printf("{\"language\":\"c\",\"ns\":%.0f}\n", rounds[ROUNDS / 2]);
    touchmark_public_key_free(key);
    free((void *)pem.ptr);
    free((void *)document.ptr);
    return 0;
}
