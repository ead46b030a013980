#include "flat.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *some(size_t size) {
    void *memory = malloc(size == 0 ? 1 : size);
    if (memory == NULL) {
        fputs("out of memory\n", stderr);
        exit(2);
    }
    return memory;
}

uint8_t *read_file(const char *path, size_t *len) {
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = NULL;
    size_t room = 4096, found;
    *len = 0;
    if (file == NULL) {
        return NULL;
    }
    bytes = some(room);
    while ((found = fread(bytes + *len, 1, room - *len - 1, file)) > 0) {
        *len += found;
        if (*len + 1 == room) {
            room *= 2;
            bytes = realloc(bytes, room);
            if (bytes == NULL) {
                exit(2);
            }
        }
    }
    if (ferror(file)) {
        free(bytes);
        bytes = NULL;
    } else {
        bytes[*len] = 0;
    }
    fclose(file);
    return bytes;
}

touchmark_bytes bytes_of(const char *text) {
    touchmark_bytes bytes;
    bytes.ptr = (const uint8_t *)text;
    bytes.len = strlen(text);
    return bytes;
}

int same(touchmark_bytes one, touchmark_bytes other) {
    return one.len == other.len && (one.len == 0 || memcmp(one.ptr, other.ptr, one.len) == 0);
}

int contains(touchmark_bytes bytes, const char *text) {
    size_t at, len = strlen(text);
    for (at = 0; at + len <= bytes.len; at++) {
        if (memcmp(bytes.ptr + at, text, len) == 0) {
            return 1;
        }
    }
    return 0;
}

int flat_open(struct flat_reader *reader, const char *path) {
    size_t len;
    reader->text = (char *)read_file(path, &len);
    reader->next = reader->text;
    return reader->text != NULL;
}

void flat_close(struct flat_reader *reader) {
    free(reader->text);
}

static char *line(struct flat_reader *reader) {
    char *begin = reader->next, *end;
    if (begin == NULL || *begin == 0) {
        return NULL;
    }
    end = strchr(begin, '\n');
    if (end == NULL) {
        reader->next = NULL;
    } else {
        *end = 0;
        reader->next = end + 1;
    }
    return begin;
}

static int digit(char character) {
    return character <= '9' ? character - '0' : character - 'a' + 10;
}

static void decode(struct entry *entry, const char *value) {
    size_t at, len = strlen(value) / 2;
    entry->bytes = some(len + 1);
    entry->len = len;
    for (at = 0; at < len; at++) {
        entry->bytes[at] = (uint8_t)(digit(value[2 * at]) << 4 | digit(value[2 * at + 1]));
    }
    entry->bytes[len] = 0;
}

int flat_next(struct flat_reader *reader, struct flat_case *one) {
    size_t room = 0;
    char *text = line(reader);
    memset(one, 0, sizeof *one);
    if (text == NULL) {
        return 0;
    }
    /* "case ID" */
    snprintf(one->id, sizeof one->id, "%s", text + 5);
    while (reader->next != NULL && *reader->next == '/') {
        struct entry *entry;
        char *value;
        text = line(reader);
        if (one->count == room) {
            room = room == 0 ? 32 : room * 2;
            one->entries = realloc(one->entries, room * sizeof *one->entries);
            if (one->entries == NULL) {
                exit(2);
            }
        }
        entry = &one->entries[one->count++];
        memset(entry, 0, sizeof *entry);
        entry->pointer = text;
        value = strchr(text, ' ');
        *value = 0;
        entry->type = value[1];
        value += 3;
        if (*value == 'x') {
            decode(entry, value + 1);
        } else {
            entry->number = (int64_t)strtoll(value, NULL, 10);
        }
    }
    return 1;
}

void flat_case_free(struct flat_case *one) {
    size_t at;
    for (at = 0; at < one->count; at++) {
        free(one->entries[at].bytes);
    }
    free(one->entries);
}

void fail(struct flat_case *one, const char *format, ...) {
    va_list arguments;
    one->failed = 1;
    fprintf(stderr, "%s: ", one->id);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

void flat_all_used(struct flat_case *one) {
    size_t at;
    for (at = 0; at < one->count; at++) {
        const char *pointer = one->entries[at].pointer;
        if (!one->entries[at].used && strcmp(pointer, "/why") != 0 && strcmp(pointer, "/spec") != 0 && strcmp(pointer, "/id") != 0) {
            fail(one, "%s was not looked at", pointer);
            return;
        }
    }
}

static struct entry *find(struct flat_case *one, const char *format, va_list arguments) {
    char pointer[256];
    size_t at;
    vsnprintf(pointer, sizeof pointer, format, arguments);
    for (at = 0; at < one->count; at++) {
        struct entry *entry = &one->entries[at];
        if (strcmp(entry->pointer, pointer) != 0) {
            continue;
        }
        entry->used = 1;
        if (entry->type == 'f' && !entry->read) {
            uint8_t *bytes = read_file((const char *)entry->bytes, &entry->len);
            if (bytes == NULL) {
                fail(one, "%s cannot be read", (const char *)entry->bytes);
                entry->len = 0;
            } else {
                free(entry->bytes);
                entry->bytes = bytes;
            }
            entry->read = 1;
        }
        return entry;
    }
    return NULL;
}

const struct entry *flat_find(struct flat_case *one, const char *format, ...) {
    struct entry *entry;
    va_list arguments;
    va_start(arguments, format);
    entry = find(one, format, arguments);
    va_end(arguments);
    return entry;
}

touchmark_bytes flat_bytes(struct flat_case *one, const char *format, ...) {
    touchmark_bytes bytes = {NULL, 0};
    struct entry *entry;
    va_list arguments;
    va_start(arguments, format);
    entry = find(one, format, arguments);
    va_end(arguments);
    if (entry != NULL && entry->len > 0) {
        bytes.ptr = entry->bytes;
        bytes.len = entry->len;
    }
    return bytes;
}

size_t flat_count(struct flat_case *one, const char *format, ...) {
    struct entry *entry;
    va_list arguments;
    va_start(arguments, format);
    entry = find(one, format, arguments);
    va_end(arguments);
    return entry == NULL ? 0 : (size_t)entry->number;
}

int64_t flat_number(struct flat_case *one, const char *format, ...) {
    struct entry *entry;
    va_list arguments;
    va_start(arguments, format);
    entry = find(one, format, arguments);
    va_end(arguments);
    return entry == NULL ? 0 : entry->number;
}
