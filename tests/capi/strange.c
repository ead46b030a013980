/* Wrong, strange and large values for each kind of parameter. */
#include "engine.h"

static touchmark_bytes view(const void *ptr, size_t len) {
    touchmark_bytes bytes;
    bytes.ptr = ptr;
    bytes.len = len;
    return bytes;
}

/* A block that lives until so many others have been asked for as a function has parameters. */
static __thread uint8_t *blocks[MOST_PARAMETERS];
static uint8_t *space(size_t size) {
    static __thread unsigned next;
    uint8_t **block = &blocks[next++ % MOST_PARAMETERS];
    free(*block);
    *block = malloc(size == 0 ? 1 : size);
    if (*block == NULL) abort();
    return *block;
}

void free_strange(void) {
    unsigned i;
    for (i = 0; i < MOST_PARAMETERS; i++) {
        free(blocks[i]);
        blocks[i] = NULL;
    }
}

/* Texts that some parser may take for more than they are. */
static const char *const texts[] = {
    " ", "\n", "0", "-", ".", "..", "a/../b", "a//b", "a/", ":", "a:", "@", "*", "acme/*", "acme/*:*", "acme/x:1:2", "ACME/X", "acme/\x01", "acme/x\xc3", "\xff\xfe",
    "\xed\xa0\x80", "\xf4\x90\x80\x80", "{", "}", "[]", "{}", "null", "\"\\ud800\"", "{\"a\":1,\"a\":2}", "1e999", "18446744073709551616", "-0",
    "{\"signed\":{},\"signatures\":[]}", "{\"payloadType\":\"\",\"payload\":\"\",\"signatures\":[]}", "-----BEGIN PUBLIC KEY-----", "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n", "sha256:", "sha256:44", "sha512:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    "sha256:44136FA355B3678A1146AD16F7E8649E94FB4FC21FE77E8310C060F61CAAFF8A", "md5:d41d8cd98f00b204e9800998ecf8427e", "oci:", "oci:nowhere", "oci-archive:", "oci-archive:nowhere.tar:v1",
    "registry.example/acme/x:1", "https://registry.example/", "linux", "linux/amd64/v8", "linux/"
};
enum { TEXTS = sizeof(texts) / sizeof(*texts), FLIPS = 24, PATTERNS = 12 };

/* Large and repetitive bytes. */
static touchmark_bytes pattern(unsigned n) {
    static const size_t sizes[PATTERNS] = {1, 16, 255, 4096, 65536, 1 << 20, 65536, 65536, 4097, 513, 1 << 18, 64};
    size_t size = sizes[n], i;
    uint8_t *out = space(size);
    struct dice dice = {88172645463325252U + n};
    for (i = 0; i < size; i++) switch (n) {
    case 5: out[i] = 0; break;
    case 6: out[i] = '['; break;
    case 7: out[i] = (uint8_t)(i % 5 == 0 ? '{' : i % 5 == 4 ? ':' : "\"a\""[i % 5 - 1]); break;
    case 8: case 9: out[i] = 'a'; break;
    case 10: out[i] = (uint8_t)(i == 0 ? '[' : i % 2 ? '1' : ','); break;
    case 11: out[i] = 0x80; break;
    default: out[i] = (uint8_t)roll(&dice); break;
    }
    return view(out, size);
}

static int strange_bytes(unsigned n, touchmark_bytes *bytes, enum expected *expected) {
    static const uint8_t byte[1] = {'a'};
    touchmark_bytes ordinary_bytes = *bytes;
    uint8_t *copy;
    unsigned names = 0;
    switch (n) {
    case 0: *bytes = view(NULL, 0); return 1;
    case 1: *bytes = view(NULL, 1); *expected = EXPECT_NULL_POINTER; return 1;
    case 2: *bytes = view(NULL, SIZE_MAX); *expected = EXPECT_ARGUMENT; return 1;
    case 3: *bytes = view(byte, 0); return 1;
    case 4: *bytes = view(byte, (size_t)PTRDIFF_MAX + 1); *expected = EXPECT_INVALID_LENGTH; return 1;
    case 5: *bytes = view(byte, SIZE_MAX); *expected = EXPECT_INVALID_LENGTH; return 1;
    }
    n -= 6;
    if (n < TEXTS) { *bytes = text(texts[n]); return 1; }
    n -= TEXTS;
    if (n < PATTERNS) { *bytes = pattern(n); return 1; }
    n -= PATTERNS;
    while (byte_names[names] != NULL) names++;
    if (n < names) { *bytes = bytes_named(byte_names[n]); return 1; }
    n -= names;
    if (ordinary_bytes.len == 0 || n >= FLIPS + 5) return 0;
    /* The ordinary bytes, a little changed; in a block of just their size, so that a read behind their end is seen. */
    copy = space(ordinary_bytes.len + (n == 2));
    memcpy(copy, ordinary_bytes.ptr, ordinary_bytes.len);
    if (n == 2) copy[ordinary_bytes.len] = 0;
    *bytes = view(copy, ordinary_bytes.len);
    if (n == 0) bytes->len = ordinary_bytes.len / 2;
    else if (n == 1) bytes->len = ordinary_bytes.len - 1;
    else if (n == 2) bytes->len = ordinary_bytes.len + 1;
    else if (n == 3) copy[ordinary_bytes.len / 2] = 0xff;
    else if (n == 4) copy[ordinary_bytes.len / 2] = 0;
    else copy[ordinary_bytes.len * (n - 5) / FLIPS] ^= (uint8_t)(1U << (n % 8));
    return 1;
}

/* An array and its count. Counts that no memory can hold are refused before anything is read. */
static int strange_array(const struct parameter *parameter, unsigned n, union value *array, union value *count, enum expected *expected) {
    static __thread touchmark_bytes bytes[128];
    static __thread touchmark_pair pairs[128];
    static __thread void *handles[128];
    size_t element = parameter->kind == KIND_BYTES_ARRAY ? sizeof *bytes : parameter->kind == KIND_PAIR_ARRAY ? sizeof *pairs : sizeof *handles;
    touchmark_bytes one = {NULL, 0};
    unsigned i;
    if (parameter->kind == KIND_PAIR_ARRAY && array->pointer == NULL && n > 2) {
        pairs[0].key = bytes_named("key");
        pairs[0].value = bytes_named("value");
        array->pointer = pairs;
    }
    switch (n) {
    case 0: array->pointer = NULL; count->size = 0; return 1;
    case 1: array->pointer = NULL; count->size = 1; *expected = EXPECT_NULL_POINTER; return 1;
    case 2: array->pointer = NULL; count->size = SIZE_MAX; *expected = EXPECT_ARGUMENT; return 1;
    case 3: count->size = 0; return 1;
    case 4: count->size = SIZE_MAX; *expected = EXPECT_ARGUMENT; return 1;
    case 5: count->size = (size_t)PTRDIFF_MAX / element + 1; *expected = EXPECT_ARGUMENT; return 1;
    case 6: count->size = SIZE_MAX / element + 1; *expected = EXPECT_ARGUMENT; return 1;
    case 7: count->size = SIZE_MAX / element + 2; *expected = EXPECT_ARGUMENT; return 1;
    case 8: count->size = (size_t)PTRDIFF_MAX; *expected = EXPECT_ARGUMENT; return 1;
    case 9: count->size = (size_t)PTRDIFF_MAX + 1; *expected = EXPECT_ARGUMENT; return 1;
    }
    n -= 10;
    if (parameter->kind == KIND_HANDLE_ARRAY) {
        if (n >= 5) return 0;
        for (i = 0; i < 128; i++) handles[i] = *(void **)array->pointer;
        array->pointer = handles;
        count->size = n == 0 ? 1 : n == 4 ? 128 : 2;
        if (n == 0) handles[0] = NULL;
        if (n == 1) handles[1] = NULL;
        if (n < 2) *expected = EXPECT_NULL_POINTER;
        if (n == 3) handles[1] = shared(parameter->type, 1) == NULL ? handles[0] : shared(parameter->type, 1);
        return 1;
    }
    if (parameter->kind == KIND_BYTES_ARRAY) {
        touchmark_bytes first = *(touchmark_bytes *)array->pointer;
        one = first;
        if (n < 2) {
            for (i = 0; i < 128; i++) bytes[i] = first;
            array->pointer = bytes;
            count->size = n == 0 ? 2 : 128;
            return 1;
        }
        if (!strange_bytes(n - 2, &one, expected)) return 0;
        bytes[0] = first;
        bytes[1] = one;
        array->pointer = bytes;
        count->size = 2;
        return 1;
    }
    one = bytes_named("key");
    if (!strange_bytes(n / 2, &one, expected)) return 0;
    for (i = 0; i < 128; i++) {
        pairs[i].key = bytes_named("key");
        pairs[i].value = bytes_named("value");
    }
    if (n % 2) pairs[1].value = one;
    else pairs[1].key = one;
    array->pointer = pairs;
    count->size = 2;
    return 1;
}

/* Callbacks that are not there, or behave badly; and sizes of the structure: too small, one of a later version, and none at all. */
static int strange_callbacks(unsigned n, union value *argument, enum expected *expected) {
    static __thread struct { touchmark_tuf_callbacks known; uint64_t later[4]; } larger;
    touchmark_tuf_callbacks *callbacks = argument->pointer;
    static const size_t sizes[] = {0, 1, 8, sizeof(*callbacks) - 1, (size_t)PTRDIFF_MAX + 1, SIZE_MAX};
    if (n < 6) {
        callbacks->struct_size = sizes[n];
        *expected = EXPECT_ARGUMENT;
        return 1;
    }
    n -= 6;
    if (n < 2) {
        memset(&larger, 0, sizeof larger);
        larger.known = *callbacks;
        larger.known.struct_size = sizeof larger;
        /* What this version does not know must not be asked for. */
        larger.later[2] = n;
        *expected = n == 0 ? EXPECT_ORDINARY : EXPECT_ARGUMENT;
        argument->pointer = &larger;
        return 1;
    }
    n -= 2;
    switch (n) {
    case 0: argument->pointer = NULL; *expected = EXPECT_NULL_POINTER; return 1;
    case 1: callbacks->fetch = NULL; break;
    case 2: callbacks->load = NULL; break;
    case 3: callbacks->store = NULL; break;
    case 4: callbacks->remove = NULL; break;
    }
    if (n < 5) {
        *expected = EXPECT_NULL_POINTER;
        return 1;
    }
    n -= 5;
    if (n >= BEHAVIOURS) return 0;
    callbacks->userdata = &behaviours[n];
    return 1;
}

int strange(const struct function *function, unsigned index, unsigned n, union value *arguments, enum expected *expected) {
    static const uint32_t u32[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 100, 255, 300, 65536, 0x7fffffff, 0x80000000, UINT32_MAX};
    static const uint64_t u64[] = {0, 1, 498, UINT32_MAX, (uint64_t)INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX};
    static const int64_t i64[] = {0, -1, INT64_MIN, 1, INT64_MAX, INT64_MAX - 1, INT64_C(253402300799), INT64_C(253402300800), INT64_C(2000000000000), -62135596800};
    static const size_t size[] = {0, 1, 2, 3, 100, UINT32_MAX, (size_t)PTRDIFF_MAX, (size_t)PTRDIFF_MAX + 1, SIZE_MAX};
    const struct parameter *parameter = &function->parameters[index];
    union value *argument = &arguments[index];
    *expected = ANYTHING;
    switch (parameter->kind) {
    case KIND_BYTES: return strange_bytes(n, &argument->bytes, expected);
    case KIND_U32:
        if (n >= sizeof(u32) / sizeof(*u32)) return 0;
        argument->u32 = u32[n];
        return 1;
    case KIND_U64:
        if (n >= sizeof(u64) / sizeof(*u64)) return 0;
        argument->u64 = u64[n];
        return 1;
    case KIND_I64:
        if (n >= sizeof(i64) / sizeof(*i64)) return 0;
        if (argument->i64 == AT && n < 3) *expected = EXPECT_INVALID_TIME;
        argument->i64 = i64[n];
        return 1;
    case KIND_SIZE:
        if (n >= sizeof(size) / sizeof(*size)) return 0;
        argument->size = size[n];
        return 1;
    case KIND_READ:
        argument->pointer = n == 0 ? NULL : shared(parameter->type, n - 1);
        if (n == 0) *expected = EXPECT_NULL_POINTER;
        return n == 0 || argument->pointer != NULL;
    case KIND_CHANGED: case KIND_FREED:
        if (argument->pointer != NULL) types[parameter->type].free(argument->pointer);
        argument->pointer = n == 0 || types[parameter->type].make == NULL ? NULL : types[parameter->type].make(n - 1);
        if (n == 0) *expected = EXPECT_NULL_POINTER;
        return n == 0 || argument->pointer != NULL;
    case KIND_OUT: case KIND_FILLED: case KIND_ERROR:
        argument->size = 0;
        *expected = parameter->kind == KIND_ERROR ? EXPECT_ORDINARY : EXPECT_NULL_POINTER;
        return n == 0;
    case KIND_BYTES_ARRAY: case KIND_PAIR_ARRAY: case KIND_HANDLE_ARRAY:
        CHECK(index + 1 < function->count && function->parameters[index + 1].kind == KIND_COUNT);
        return strange_array(parameter, n, argument, &arguments[index + 1], expected);
    case KIND_COUNT: return 0;
    case KIND_CALLBACKS: return strange_callbacks(n, argument, expected);
    case KIND_FUNCTION:
        argument->function = NULL;
        return n == 0;
    case KIND_USERDATA:
        if (n >= BEHAVIOURS) return 0;
        argument->pointer = &behaviours[n];
        return 1;
    }
    return 0;
}
