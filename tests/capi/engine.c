/* Calls, and holds the outcome against what the header promises of every function. */
#include "engine.h"

#include <signal.h>
#include <unistd.h>

#define UNTOUCHED ((void *)(uintptr_t)0xdeadbeef)

/* One for each thread; what is shown when one of them ends the program. */
static __thread const struct function *current;
static __thread const union value *current_arguments;
const char *asked_for = "";

static void describe(const struct function *function, const union value *arguments) {
    unsigned i;
    fprintf(stderr, "%s: %s(", asked_for, function == NULL ? "-" : function->name);
    for (i = 0; function != NULL && i < function->count; i++) {
        const union value *one = &arguments[i];
        switch (function->parameters[i].kind) {
        case KIND_BYTES: fprintf(stderr, "%s{%p, %zu}", i ? ", " : "", (const void *)one->bytes.ptr, one->bytes.len); break;
        case KIND_U32: fprintf(stderr, "%s%lu", i ? ", " : "", (unsigned long)one->u32); break;
        case KIND_U64: fprintf(stderr, "%s%llu", i ? ", " : "", (unsigned long long)one->u64); break;
        case KIND_I64: fprintf(stderr, "%s%lld", i ? ", " : "", (long long)one->i64); break;
        case KIND_SIZE: case KIND_COUNT: fprintf(stderr, "%s%zu", i ? ", " : "", one->size); break;
        case KIND_OUT: case KIND_ERROR: case KIND_FILLED: fprintf(stderr, "%s%s", i ? ", " : "", one->size ? "&out" : "NULL"); break;
        default: fprintf(stderr, "%s%p", i ? ", " : "", one->pointer); break;
        }
    }
    fprintf(stderr, ")\n");
    /* Short bytes as they are: with them the call can be made again. */
    for (i = 0; function != NULL && i < function->count; i++)
        if (function->parameters[i].kind == KIND_BYTES && arguments[i].bytes.ptr != NULL && arguments[i].bytes.len <= 200)
            fprintf(stderr, "  argument %u: %.*s\n", i, (int)arguments[i].bytes.len, (const char *)arguments[i].bytes.ptr);
}

void fail(const char *what, const char *detail) {
    fprintf(stderr, "FAILED: %s: %s\n", what, detail);
    describe(current, current_arguments);
    exit(1);
}

static void crashed(int signal_number) {
    const char *name = current == NULL ? "-" : current->name;
    static const char begin[] = "CRASHED in ", end[] = " by a signal; ";
    if (write(2, begin, sizeof(begin) - 1) < 0 || write(2, name, strlen(name)) < 0 || write(2, end, sizeof(end) - 1) < 0
        || write(2, asked_for, strlen(asked_for)) < 0 || write(2, "\n", 1) < 0) _exit(70);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

void tell_of_crashes(void) {
    /* Sanitizers have handlers of their own, which say more. */
    static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE};
    size_t i;
    if (getenv("TOUCHMARK_SANITIZED") != NULL) return;
    for (i = 0; i < sizeof(signals) / sizeof(*signals); i++) signal(signals[i], crashed);
}

void ok(touchmark_status status, const char *file, int line, const char *what) {
    touchmark_bytes name;
    if (status == TOUCHMARK_STATUS_OK) return;
    name = touchmark_status_name(status);
    fprintf(stderr, "FAILED: %s:%d: %s: %lu %.*s\n", file, line, what, (unsigned long)status, (int)name.len, (const char *)name.ptr);
    exit(1);
}

/* Views are readable in all their length; reading says so to valgrind and the sanitizers. */
static void read_view(touchmark_bytes view) {
    uint8_t sum = 0;
    size_t i;
    CHECK(view.ptr != NULL || view.len == 0);
    CHECK(view.len <= PTRDIFF_MAX);
    for (i = 0; i < view.len; i++) sum ^= view.ptr[i];
    /* A branch on it, which memory that was never written does not pass unseen. */
    if (sum == 1) (void)fflush(NULL);
}

static void check_error(touchmark_status status, touchmark_error *error) {
    touchmark_bytes json = touchmark_error_json(error);
    CHECK(touchmark_error_status(error) == status);
    CHECK(touchmark_error_code(error).len > 0);
    CHECK(touchmark_error_message(error).len > 0);
    read_view(touchmark_error_code(error));
    read_view(touchmark_error_message(error));
    if (!is_json(json)) {
        fprintf(stderr, "%.*s\n", (int)json.len, (const char *)json.ptr);
        fail("error", "its JSON is none");
    }
    touchmark_error_free(error);
}

void call(const struct function *function, const union value *arguments, struct outcome *outcome) {
    union value given[MOST_PARAMETERS];
    void *slots[MOST_PARAMETERS];
    unsigned char filled[512];
    unsigned i;
    size_t at;

    memset(outcome, 0, sizeof *outcome);
    CHECK(function->count <= MOST_PARAMETERS);
    for (i = 0; i < function->count; i++) {
        const struct parameter *one = &function->parameters[i];
        given[i] = arguments[i];
        slots[i] = UNTOUCHED;
        if (one->kind == KIND_OUT || one->kind == KIND_ERROR) given[i].pointer = arguments[i].size ? &slots[i] : NULL;
        if (one->kind == KIND_FILLED) {
            CHECK(one->size <= sizeof filled);
            memset(filled, 0xaa, sizeof filled);
            given[i].pointer = arguments[i].size ? filled : NULL;
        }
    }
    current_arguments = arguments;
    current = function;
    memset(&outcome->value, 0, sizeof outcome->value);
    function->call(given, &outcome->value);

    if (function->result == RESULT_BYTES) read_view(outcome->value.bytes);
    if (function->result != RESULT_STATUS) {
        current = NULL;
        return;
    }
    outcome->status = outcome->value.u32;
    if (touchmark_status_name(outcome->status).len == 0) fail("status", "it has no name");
    if (outcome->status == TOUCHMARK_STATUS_PANIC || outcome->status == TOUCHMARK_STATUS_INTERNAL) fail("status", "PANIC or INTERNAL");
    for (i = 0; i < function->count; i++) {
        const struct parameter *one = &function->parameters[i];
        if (!arguments[i].size) continue;
        if (one->kind == KIND_OUT) {
            if (slots[i] == UNTOUCHED) fail("out-parameter", "it was not written");
            if ((outcome->status == TOUCHMARK_STATUS_OK) != (slots[i] != NULL)) fail("out-parameter", "it is set if and only if the call succeeds");
            outcome->taken[i] = slots[i];
        } else if (one->kind == KIND_FILLED) {
            if (outcome->status == TOUCHMARK_STATUS_OK) continue;
            for (at = 0; at < one->size; at++) if (filled[at] != 0) fail("struct", "it is not zero after a failure");
        } else if (one->kind == KIND_ERROR) {
            if (slots[i] == UNTOUCHED) fail("error", "it was not written");
            if ((outcome->status == TOUCHMARK_STATUS_OK) != (slots[i] == NULL)) fail("error", "it is set if and only if the call fails");
            if (slots[i] != NULL) check_error(outcome->status, slots[i]);
        }
    }
    current = NULL;
}

void drop(const struct function *function, struct outcome *outcome) {
    unsigned i;
    for (i = 0; i < function->count; i++) {
        if (outcome->taken[i] != NULL) types[function->parameters[i].type].free(outcome->taken[i]);
        outcome->taken[i] = NULL;
    }
}

int type_number(const char *name) {
    size_t i;
    for (i = 0; i < type_count; i++) if (strcmp(types[i].name, name) == 0) return (int)i;
    fail("no such type", name);
    return -1;
}

#define MOST_TYPES 64
#define MOST_VARIETIES 16
static struct { void *handle; int made; } made[MOST_TYPES][MOST_VARIETIES];

void *shared(int type, unsigned variety) {
    CHECK(type >= 0 && type < MOST_TYPES && variety < MOST_VARIETIES);
    if (types[type].make == NULL) return NULL;
    if (!made[type][variety].made) {
        made[type][variety].handle = types[type].make(variety);
        made[type][variety].made = 1;
    }
    return made[type][variety].handle;
}

void free_shared(void) {
    size_t type, variety;
    for (type = 0; type < type_count && type < MOST_TYPES; type++)
        for (variety = 0; variety < MOST_VARIETIES; variety++) {
            if (made[type][variety].handle != NULL) types[type].free(made[type][variety].handle);
            made[type][variety].handle = NULL;
            made[type][variety].made = 0;
        }
}

/* xorshift64*. */
uint64_t roll(struct dice *dice) {
    dice->state ^= dice->state >> 12;
    dice->state ^= dice->state << 25;
    dice->state ^= dice->state >> 27;
    return dice->state * UINT64_C(2685821657736338717);
}

size_t below(struct dice *dice, size_t bound) { return bound == 0 ? 0 : (size_t)(roll(dice) >> 16) % bound; }

/* JSON, by its grammar; what is between the quotes of a string is looked at for control characters alone. */
static const uint8_t *value(const uint8_t *p, const uint8_t *end, int depth);

static const uint8_t *space(const uint8_t *p, const uint8_t *end) {
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r')) p++;
    return p;
}

static const uint8_t *string(const uint8_t *p, const uint8_t *end) {
    if (p == NULL || p >= end || *p++ != '"') return NULL;
    for (; p < end && *p != '"'; p++) {
        if (*p < 0x20) return NULL;
        if (*p == '\\' && ++p >= end) return NULL;
    }
    return p < end ? p + 1 : NULL;
}

static const uint8_t *list(const uint8_t *p, const uint8_t *end, int depth, uint8_t close, int members) {
    p = space(p + 1, end);
    if (p < end && *p == close) return p + 1;
    for (;;) {
        if (members) {
            p = string(space(p, end), end);
            if (p == NULL) return NULL;
            p = space(p, end);
            if (p >= end || *p++ != ':') return NULL;
        }
        p = value(space(p, end), end, depth + 1);
        if (p == NULL) return NULL;
        p = space(p, end);
        if (p >= end) return NULL;
        if (*p == close) return p + 1;
        if (*p++ != ',') return NULL;
    }
}

static const uint8_t *value(const uint8_t *p, const uint8_t *end, int depth) {
    static const char *const words[] = {"true", "false", "null"};
    size_t i;
    if (p >= end || depth > 64) return NULL;
    if (*p == '"') return string(p, end);
    if (*p == '{') return list(p, end, depth, '}', 1);
    if (*p == '[') return list(p, end, depth, ']', 0);
    for (i = 0; i < 3; i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(end - p) >= length && memcmp(p, words[i], length) == 0) return p + length;
    }
    if (*p == '-') p++;
    if (p >= end || *p < '0' || *p > '9') return NULL;
    while (p < end && *p >= '0' && *p <= '9') p++;
    return p;
}

int is_json(touchmark_bytes bytes) {
    const uint8_t *end = bytes.ptr == NULL ? NULL : bytes.ptr + bytes.len, *p;
    if (bytes.ptr == NULL) return 0;
    p = value(space(bytes.ptr, end), end, 0);
    return p != NULL && space(p, end) == end;
}
