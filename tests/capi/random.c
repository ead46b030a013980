/* Sequences of calls that nobody thought of: any function, any live handle in whatever state it is, ordinary arguments and strange ones, and
   what comes of a call is given to later ones. A seed makes the same sequence each time.

     random DATA SEED CALLS */
#include "engine.h"

enum { MOST_TYPES = 64, POOL = 8 };
static void *pool[MOST_TYPES][POOL];

/* A live handle of the type, or NULL, which is also an argument. */
static void **any(struct dice *dice, int type) {
    void **slot = &pool[type][below(dice, POOL)];
    if (*slot == NULL && types[type].make != NULL && below(dice, 4) != 0) *slot = types[type].make((unsigned)below(dice, 8));
    return slot;
}

/* Bytes that the library itself gave, and that live as long as their handle. */
static int borrowed(struct dice *dice, touchmark_bytes *bytes) {
    void *buffer = *any(dice, type_number("touchmark_buffer")), *error = *any(dice, type_number("touchmark_error"));
    if (buffer != NULL && below(dice, 2)) *bytes = touchmark_buffer_bytes(buffer);
    else if (error != NULL) *bytes = touchmark_error_json(error);
    else return 0;
    return 1;
}

/* Frees the trust roots: each keeps its store to itself until then, and another one of that store waits for it. */
static void free_trust_roots(void) {
    int type = type_number("touchmark_trust_root");
    size_t i;
    for (i = 0; i < POOL; i++) if (pool[type][i] != NULL) {
        types[type].free(pool[type][i]);
        pool[type][i] = NULL;
    }
}

static void one_call(struct dice *dice, unsigned long *succeeded) {
    size_t number = below(dice, function_count);
    const struct function *function = &functions[number];
    union value arguments[MOST_PARAMETERS], kept[MOST_PARAMETERS];
    struct outcome outcome;
    enum expected expected;
    unsigned i;
    /* These write files or hash for long. */
    if ((strstr(function->name, "trust_root_open") != NULL || strstr(function->name, "attach") != NULL || strstr(function->name, "encrypted") != NULL)
        && below(dice, 20) != 0) return;
    if (strstr(function->name, "trust_root_open") != NULL) free_trust_roots();
    ordinary_without(function, arguments);
    for (i = 0; i < function->count; i++) {
        const struct parameter *parameter = &function->parameters[i];
        if (parameter->kind == KIND_READ || parameter->kind == KIND_CHANGED) {
            if (parameter->kind == KIND_CHANGED || below(dice, 2)) arguments[i].pointer = *any(dice, parameter->type);
        } else if (parameter->kind == KIND_FREED) {
            void **slot = any(dice, parameter->type);
            arguments[i].pointer = *slot;
            *slot = NULL;
        } else if (below(dice, 4) == 0) {
            memcpy(kept, arguments, sizeof kept);
            if (parameter->kind == KIND_BYTES && below(dice, 8) == 0 && borrowed(dice, &arguments[i].bytes)) continue;
            if (!strange(function, i, (unsigned)below(dice, parameter->kind == KIND_BYTES ? 160 : 24), arguments, &expected)) memcpy(arguments, kept, sizeof kept);
        }
    }
    call(function, arguments, &outcome);
    if (outcome.status == TOUCHMARK_STATUS_OK) succeeded[number]++;
    for (i = 0; i < function->count; i++) if (outcome.taken[i] != NULL) {
        int type = function->parameters[i].type;
        void **slot = &pool[type][below(dice, POOL)];
        if (*slot != NULL) types[type].free(*slot);
        *slot = outcome.taken[i];
    }
}

int main(int count, char **words) {
    static unsigned long succeeded[1024];
    static char what[100];
    unsigned long calls, at;
    size_t i, j, functions_that_did = 0;
    struct dice dice;
    if (count != 4) return 2;
    dice.state = strtoull(words[2], NULL, 10) * 2862933555777941757U + 3037000493U;
    calls = strtoul(words[3], NULL, 10);
    tell_of_crashes();
    asked_for = what;
    read_fixtures(words[1]);
    CHECK(type_count <= MOST_TYPES && function_count <= 1024);
    for (at = 0; at < calls; at++) {
        sprintf(what, "seed %s, call %lu", words[2], at);
        one_call(&dice, succeeded);
    }
    for (i = 0; i < type_count; i++) for (j = 0; j < POOL; j++) if (pool[i][j] != NULL) types[i].free(pool[i][j]);
    free_shared();
    free_strange();
    free_fixtures();
    for (i = 0; i < function_count; i++) functions_that_did += succeeded[i] > 0;
    printf("random: %lu calls, seed %s; %zu of %zu functions did what they are for\n", calls, words[2], functions_that_did, function_count);
    return 0;
}
