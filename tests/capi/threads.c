/* Sixteen threads on the same handles.

   What nobody changes (`const T *` everywhere) is used by all of them at once, thousands of times, and each answer is what one thread got alone.
   What is changed is given to four threads at once, which its documentation forbids: they get WRONG_STATE or an answer, and nothing breaks.

     threads DATA ROUNDS [shared]    shared: the former alone */
#include "engine.h"

#include <pthread.h>

enum { THREADS = 16, MOST = 512 };

/* What one thread got alone. */
static struct { int shares; touchmark_status status; union value value; touchmark_bytes bytes; } alone[MOST];
static unsigned long rounds;

/* Only reads handles, and answers the same each time. */
static int shares(const struct function *function) {
    static const char *const differs[] = {"generate", "encrypted_pem", "attach", "trust_root"};
    unsigned i;
    for (i = 0; i < sizeof(differs) / sizeof(*differs); i++) if (strstr(function->name, differs[i]) != NULL) return 0;
    for (i = 0; i < function->count; i++) if (function->parameters[i].kind == KIND_CHANGED || function->parameters[i].kind == KIND_FREED) return 0;
    return 1;
}

/* The bytes of a result: of the view, the buffer or the handle that came of it. */
static touchmark_bytes bytes_of(const struct function *function, const struct outcome *outcome) {
    touchmark_bytes none = {NULL, 0};
    unsigned i;
    if (function->result == RESULT_BYTES) return outcome->value.bytes;
    for (i = 0; i < function->count; i++) {
        const char *type = function->parameters[i].type < 0 ? "" : types[function->parameters[i].type].name;
        void *made = outcome->taken[i];
        if (made == NULL) continue;
        if (strcmp(type, "touchmark_buffer") == 0) return touchmark_buffer_bytes(made);
        if (strcmp(type, "touchmark_public_key") == 0) return touchmark_public_key_id(made);
        if (strcmp(type, "touchmark_verified_envelope") == 0) return touchmark_verified_envelope_payload(made);
        if (strcmp(type, "touchmark_verified_artifact") == 0) return touchmark_verified_artifact_digest(made);
        if (strcmp(type, "touchmark_envelope") == 0) return touchmark_envelope_untrusted_payload(made);
    }
    return none;
}

static void record(size_t number) {
    const struct function *function = &functions[number];
    union value arguments[MOST_PARAMETERS];
    struct outcome outcome;
    touchmark_bytes bytes;
    uint8_t *copy;
    alone[number].shares = shares(function);
    if (!alone[number].shares) return;
    ordinary(function, arguments);
    call(function, arguments, &outcome);
    bytes = bytes_of(function, &outcome);
    copy = malloc(bytes.len + 1);
    if (copy == NULL) abort();
    if (bytes.len > 0) memcpy(copy, bytes.ptr, bytes.len);
    alone[number].status = outcome.status;
    alone[number].value = outcome.value;
    alone[number].bytes.ptr = copy;
    alone[number].bytes.len = bytes.len;
    drop(function, &outcome);
}

static void *share(void *seed) {
    struct dice dice;
    unsigned long at;
    dice.state = (uint64_t)(uintptr_t)seed * 2862933555777941757U + 1;
    for (at = 0; at < rounds; at++) {
        size_t number = below(&dice, function_count);
        const struct function *function = &functions[number];
        union value arguments[MOST_PARAMETERS];
        struct outcome outcome;
        touchmark_bytes bytes;
        if (!alone[number].shares) continue;
        ordinary(function, arguments);
        call(function, arguments, &outcome);
        bytes = bytes_of(function, &outcome);
        if (outcome.status != alone[number].status || bytes.len != alone[number].bytes.len
            || (bytes.len > 0 && memcmp(bytes.ptr, alone[number].bytes.ptr, bytes.len) != 0)
            || (function->result != RESULT_BYTES && memcmp(&outcome.value, &alone[number].value, sizeof outcome.value) != 0)) {
            fprintf(stderr, "%s answers one of %d threads otherwise than a thread alone: status %lu, %lu alone\n", function->name, THREADS,
                    (unsigned long)outcome.status, (unsigned long)alone[number].status);
            exit(1);
        }
        drop(function, &outcome);
    }
    return NULL;
}

/* A handle that several threads change at once. */
struct contended { int type; void *handle; uint64_t seed; };

static void *contend(void *given) {
    struct contended *contended = given;
    struct dice dice;
    unsigned long at;
    dice.state = contended->seed;
    for (at = 0; at < rounds; at++) {
        const struct function *function = &functions[below(&dice, function_count)];
        union value arguments[MOST_PARAMETERS];
        struct outcome outcome;
        unsigned i, mine = 0;
        for (i = 0; i < function->count; i++) mine |= function->parameters[i].type == contended->type && (function->parameters[i].kind == KIND_CHANGED || function->parameters[i].kind == KIND_READ);
        /* A view that is returned lives until the next call, which is another thread's. */
        if (!mine || function->result == RESULT_BYTES) continue;
        ordinary_without(function, arguments);
        for (i = 0; i < function->count; i++)
            if (function->parameters[i].type == contended->type && (function->parameters[i].kind == KIND_CHANGED || function->parameters[i].kind == KIND_READ))
                arguments[i].pointer = contended->handle;
        call(function, arguments, &outcome);
        drop(function, &outcome);
    }
    return NULL;
}

static void run(size_t count, void *(*body)(void *), void *(*argument)(size_t)) {
    pthread_t threads[THREADS];
    size_t i;
    for (i = 0; i < count; i++) CHECK(pthread_create(&threads[i], NULL, body, argument(i)) == 0);
    for (i = 0; i < count; i++) CHECK(pthread_join(threads[i], NULL) == 0);
}

static void *seed_of(size_t i) { return (void *)(uintptr_t)(i + 1); }

static struct contended contenders[THREADS];
static void *contender(size_t i) { return &contenders[i]; }

int main(int count, char **words) {
    size_t i, j, shared_functions = 0, contended_types = 0;
    unsigned variety;
    if (count < 3 || count > 4) return 2;
    rounds = strtoul(words[2], NULL, 10);
    tell_of_crashes();
    asked_for = "threads";
    read_fixtures(words[1]);
    CHECK(function_count <= MOST);
    /* Handles that callbacks and strange arguments ask for are made before threads would make them. */
    for (i = 0; i < type_count; i++) for (variety = 0; variety < 8; variety++) if (!types[i].changes || variety == 0) (void)shared((int)i, variety);
    for (i = 0; i < function_count; i++) {
        record(i);
        shared_functions += (size_t)alone[i].shares;
    }
    run(THREADS, share, seed_of);
    for (i = 0; i < type_count; i++) {
        if (count == 4 || !types[i].changes || types[i].make == NULL) continue;
        contended_types++;
        for (variety = 0; variety < 8; variety++) {
            void *handle = types[i].make(variety);
            if (handle == NULL) break;
            for (j = 0; j < 4; j++) {
                contenders[j].type = (int)i;
                contenders[j].handle = handle;
                contenders[j].seed = 1000 * i + 10 * variety + j + 1;
            }
            run(4, contend, contender);
            types[i].free(handle);
        }
    }
    for (i = 0; i < function_count; i++) free((void *)(uintptr_t)alone[i].bytes.ptr);
    free_shared();
    free_fixtures();
    printf("threads: %zu functions by %d threads with the answers of one, %zu kinds of handles by 4 threads that may not\n", shared_functions, THREADS, contended_types);
    return 0;
}
