/* Reads cases from the lines that `touchmark-test-vectors flat` writes. */
#ifndef FLAT_H
#define FLAT_H

#include <stddef.h>
#include <stdint.h>

#include "touchmark.h"

/* A place in a case. */
struct entry {
    char *pointer;
    char type;
    uint8_t *bytes; /* decoded; of a file, what is in it once it was asked for */
    size_t len;
    int64_t number;
    int read;
    int used;
};

struct flat_case {
    char id[256];
    struct entry *entries;
    size_t count;
    int failed;
};

struct flat_reader {
    char *text;
    char *next;
};

/* 0 when it cannot be read. */
int flat_open(struct flat_reader *reader, const char *path);
/* 0 when there is no further case. */
int flat_next(struct flat_reader *reader, struct flat_case *one);
void flat_case_free(struct flat_case *one);
void flat_close(struct flat_reader *reader);

/* Says why a case failed. */
void fail(struct flat_case *one, const char *format, ...);
/* Fails a case of which something was not looked at. */
void flat_all_used(struct flat_case *one);

/* The places of a case are named as by printf. What is not there is NULL, or empty, and no failure. */
const struct entry *flat_find(struct flat_case *one, const char *format, ...);
touchmark_bytes flat_bytes(struct flat_case *one, const char *format, ...);
size_t flat_count(struct flat_case *one, const char *format, ...);
int64_t flat_number(struct flat_case *one, const char *format, ...);

/* The bytes of a file, with a NUL after them; NULL if there is none. */
uint8_t *read_file(const char *path, size_t *len);

touchmark_bytes bytes_of(const char *text);
int same(touchmark_bytes one, touchmark_bytes other);
/* Whether a text is in some bytes. */
int contains(touchmark_bytes bytes, const char *text);

#endif
