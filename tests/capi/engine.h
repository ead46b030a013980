/* Calls any function of the interface with any arguments, and holds what comes back against what the header promises of every function.
   The table of functions is made of the header, by functions.py. */
#ifndef ENGINE_H
#define ENGINE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <touchmark.h>

#define MOST_PARAMETERS 16
/* What tests are asked at: inside the lifetime of everything in data/. */
#define AT INT64_C(1800000000)

enum kind {
    KIND_BYTES, KIND_U32, KIND_U64, KIND_I64, KIND_SIZE,
    KIND_READ,      /* const T * */
    KIND_CHANGED,   /* T * */
    KIND_FREED,     /* T *, of a function that frees it */
    KIND_OUT,       /* T ** */
    KIND_ERROR,     /* touchmark_error ** */
    KIND_FILLED,    /* a struct that the function fills */
    KIND_BYTES_ARRAY, KIND_PAIR_ARRAY, KIND_HANDLE_ARRAY,
    KIND_COUNT,     /* of the array before it */
    KIND_CALLBACKS, KIND_FUNCTION, KIND_USERDATA
};
enum result { RESULT_STATUS, RESULT_BYTES, RESULT_U32, RESULT_U64, RESULT_I64, RESULT_SIZE, RESULT_NONE };

union value {
    touchmark_bytes bytes;
    void *pointer;
    void (*function)(void);
    size_t size;
    uint32_t u32;
    uint64_t u64;
    int64_t i64;
};
struct parameter { enum kind kind; int type; size_t size; };
struct function {
    const char *name;
    void (*call)(const union value *, union value *);
    enum result result;
    unsigned count;
    const struct parameter *parameters;
};
struct type {
    const char *name;
    void *(*make)(unsigned variety);   /* NULL from a variety that there is not */
    void (*free)(void *);
    int changes;                       /* some function takes it as not const */
};
extern const struct type types[];
extern const size_t type_count;
extern const struct function functions[];
extern const size_t function_count;

/* What came of a call; `taken` has the handles that it made, by parameter. */
struct outcome {
    touchmark_status status;
    union value value;
    void *taken[MOST_PARAMETERS];
};

/* Calls. Of out-parameters `size` says whether there is one (1) or NULL (0). Ends the program with what was called if a promise is broken. */
void call(const struct function *, const union value *arguments, struct outcome *);
/* Frees what the call made. */
void drop(const struct function *, struct outcome *);
/* The arguments with which the function does what it is for; with fresh handles where the function changes them. */
void ordinary(const struct function *, union value *arguments);
void drop_ordinary(const struct function *, union value *arguments);
/* The same without handles that the function changes or frees: NULL stands for them. */
void ordinary_without(const struct function *, union value *arguments);
void (*ordinary_callback(const char *function))(void);
/* The status that these arguments give. */
touchmark_status ordinary_status(const struct function *);
int type_number(const char *name);
/* A handle that nobody changes, made once. NULL if there is no such variety. */
void *shared(int type, unsigned variety);
void free_shared(void);

/* Says what is being called when the program is ended by a signal. */
void tell_of_crashes(void);
extern const char *asked_for;
void fail(const char *what, const char *detail);

/* Bytes by name: files of data/, and what is made of them. */
touchmark_bytes bytes_named(const char *name);
extern const char *const byte_names[];
void read_fixtures(const char *folder);
void free_fixtures(void);
touchmark_bytes text(const char *);
int is_text(touchmark_bytes, const char *);
int is_json(touchmark_bytes);

/* How a callback behaves: the userdata of each. NULL behaves as BEHAVIOUR_HONEST. */
enum behaviour {
    HONEST, NOTHING, GARBAGE, ABSENT, FAILS, UNKNOWN_STATUS, TOO_MUCH, BAD_VIEWS, SAYS_WHY, SAYS_WHY_AND_OK, ABSENT_AFTER_ALL, BEHAVIOURS
};
extern enum behaviour behaviours[BEHAVIOURS];
touchmark_status fetch_metadata(void *userdata, touchmark_bytes path, uint64_t limit, touchmark_sink *);
touchmark_status load_file(void *userdata, touchmark_bytes path, uint64_t limit, touchmark_sink *);
touchmark_status store_file(void *userdata, touchmark_bytes file, touchmark_bytes bytes);
touchmark_status remove_file(void *userdata, touchmark_bytes file);
#ifdef TOUCHMARK_SIGN
touchmark_status sign_message(void *userdata, touchmark_bytes message, touchmark_sink *signature);
#endif
/* Reads a file below data/; NULL and 0 if there is none. The caller frees `ptr`. */
touchmark_bytes read_data(const char *folder, touchmark_bytes path);

/* Wrong, strange and large values for a parameter: the n-th of them in the place of the ordinary one. 0 if there are fewer.
   `expected` is what must come back, if that is sure. */
enum expected { ANYTHING, EXPECT_NULL_POINTER, EXPECT_INVALID_LENGTH, EXPECT_INVALID_TIME, EXPECT_ARGUMENT, EXPECT_ORDINARY };
int strange(const struct function *, unsigned index, unsigned n, union value *arguments, enum expected *expected);
void free_strange(void);

/* Numbers that look random and are the same for one seed. */
struct dice { uint64_t state; };
uint64_t roll(struct dice *);
size_t below(struct dice *, size_t bound);

#define CHECK(condition) ((condition) ? (void)0 : fail(__FILE__, #condition))
#define OK(call) ok((call), __FILE__, __LINE__, #call)
void ok(touchmark_status, const char *file, int line, const char *what);

#endif
