/* Every function with each strange value for each of its parameters in turn: a status comes back, the one that is promised where that is sure,
   and never a crash. Functions come from the header, so that none is forgotten.

     sweep DATA [EVERY]    EVERY: only each so manieth strange value of bytes, for slow machines such as valgrind's */
#include "engine.h"

static void expect(const struct function *function, enum expected expected, touchmark_status ordinary_is, touchmark_status status) {
    int right = 1;
    if (function->result != RESULT_STATUS || expected == ANYTHING) return;
    /* Where the ordinary call is refused, that may be found first. */
    if (ordinary_is != TOUCHMARK_STATUS_OK && status == ordinary_is) return;
    switch (expected) {
    case EXPECT_NULL_POINTER: right = status == TOUCHMARK_STATUS_NULL_POINTER; break;
    case EXPECT_INVALID_LENGTH: right = status == TOUCHMARK_STATUS_INVALID_LENGTH; break;
    case EXPECT_INVALID_TIME: right = status == TOUCHMARK_STATUS_INVALID_TIME; break;
    case EXPECT_ARGUMENT: right = status >= 100 && status < 200; break;
    case EXPECT_ORDINARY: right = status == ordinary_is; break;
    case ANYTHING: break;
    }
    if (!right) {
        static const char *const names[] = {"anything", "NULL_POINTER", "INVALID_LENGTH", "INVALID_TIME", "an argument's status", "the ordinary status"};
        touchmark_bytes name = touchmark_status_name(status);
        fprintf(stderr, "%s (%s): %.*s where %s was expected\n", function->name, asked_for, (int)name.len, (const char *)name.ptr, names[expected]);
        exit(1);
    }
}

static unsigned long sweep(const struct function *function, unsigned every) {
    union value arguments[MOST_PARAMETERS];
    struct outcome outcome;
    touchmark_status status = ordinary_status(function);
    unsigned long calls = 0;
    unsigned index, n;
    enum expected expected;
    static char what[120];
    int changes = 0;

    asked_for = "the ordinary call";
    ordinary(function, arguments);
    call(function, arguments, &outcome);
    if (function->result == RESULT_STATUS && outcome.status != status) {
        touchmark_bytes name = touchmark_status_name(outcome.status);
        fprintf(stderr, "%s: the ordinary call gives %.*s\n", function->name, (int)name.len, (const char *)name.ptr);
        exit(1);
    }
    drop(function, &outcome);
    drop_ordinary(function, arguments);
    for (index = 0; index < function->count; index++) {
        changes |= function->parameters[index].kind == KIND_CHANGED;
        for (n = 0;; n++) {
            int bytes = function->parameters[index].kind == KIND_BYTES || function->parameters[index].kind == KIND_BYTES_ARRAY || function->parameters[index].kind == KIND_PAIR_ARRAY;
            if (bytes && every > 1 && n > 8 && n % every != 0 && n < 400) continue;
            sprintf(what, "parameter %u, value %u", index, n);
            asked_for = what;
            ordinary(function, arguments);
            if (!strange(function, index, n, arguments, &expected)) {
                drop_ordinary(function, arguments);
                break;
            }
            call(function, arguments, &outcome);
            expect(function, expected, status, outcome.status);
            drop(function, &outcome);
            calls++;
            /* Twice: the first may have finished, failed or answered what the handle waited for. */
            if (changes) {
                call(function, arguments, &outcome);
                drop(function, &outcome);
                calls++;
            }
            drop_ordinary(function, arguments);
        }
    }
    return calls;
}

int main(int count, char **words) {
    unsigned long calls = 0;
    unsigned every = count > 2 ? (unsigned)strtoul(words[2], NULL, 10) : 1;
    size_t i;
    tell_of_crashes();
    read_fixtures(count > 1 ? words[1] : "data");
    for (i = 0; i < function_count; i++) {
        /* Encrypting is slow by design. */
        unsigned less = strstr(functions[i].name, "encrypted") != NULL ? 20 : 1;
        calls += sweep(&functions[i], less * every);
    }
    free_shared();
    free_strange();
    free_fixtures();
    printf("sweep: %lu calls of %lu functions, each answered as promised\n", calls, (unsigned long)function_count);
    return 0;
}
