/* Bytes by name, and callbacks that behave well or badly. */
#include "engine.h"

#include <dirent.h>

static const char *root_folder;

/* The first are files of data/; the others are made of them, or stand here. */
enum { FILES = 13, NAMES = 45 };
const char *const byte_names[NAMES + 1] = {
    "publisher.pub", "publisher", "owner.pub", "root.layout", "policy.json", "envelope.json", "manifest.json", "referrers.json",
    "root.json", "timestamp.json", "program", "link", "link.name",
    "payload", "payload.type", "message", "signature", "raw", "digest", "other.digest",
    "empty", "json", "passphrase", "name", "name.any", "name.other", "key", "value", "predicate", "role", "platform", "layout.reference",
    "tar.reference", "folder.links", "policy.path", "metadata.path", "store.path", "target", "statement.name", "signed.policy", "media.type",
    "other.media.type", "two.names", "index.digest", "listed", NULL
};
static touchmark_bytes named[NAMES];
static int owned[NAMES];

touchmark_bytes text(const char *c) {
    touchmark_bytes bytes;
    bytes.ptr = (const uint8_t *)c;
    bytes.len = strlen(c);
    return bytes;
}

int is_text(touchmark_bytes bytes, const char *c) { return bytes.len == strlen(c) && (bytes.len == 0 || memcmp(bytes.ptr, c, bytes.len) == 0); }

touchmark_bytes bytes_named(const char *name) {
    size_t i;
    for (i = 0; i < NAMES; i++) if (strcmp(byte_names[i], name) == 0) return named[i];
    fail("no such bytes", name);
    return text("");
}

static void set(const char *name, touchmark_bytes bytes, int owns) {
    size_t i;
    for (i = 0; i < NAMES; i++) if (strcmp(byte_names[i], name) == 0) {
        named[i] = bytes;
        owned[i] = owns;
        return;
    }
    fail("no such bytes", name);
}

touchmark_bytes read_data(const char *folder, touchmark_bytes path) {
    touchmark_bytes bytes = {NULL, 0};
    char file[600];
    FILE *in;
    uint8_t *buffer;
    if (path.len == 0 || path.len > 200 || memchr(path.ptr, 0, path.len) != NULL) return bytes;
    sprintf(file, "%.200s/%s%s%.*s", root_folder, folder, *folder ? "/" : "", (int)path.len, (const char *)path.ptr);
    in = strstr(file, "..") == NULL ? fopen(file, "rb") : NULL;
    if (in == NULL) return bytes;
    buffer = malloc(1 << 16);
    if (buffer == NULL) abort();
    bytes.ptr = buffer;
    bytes.len = fread(buffer, 1, 1 << 16, in);
    fclose(in);
    return bytes;
}

/* What stands between the quotes after `"member":"`; the documents of data/ are written without space. */
static touchmark_bytes member(touchmark_bytes document, const char *name) {
    touchmark_bytes found = {NULL, 0};
    size_t i, length = strlen(name);
    for (i = 0; i + length < document.len; i++) if (memcmp(document.ptr + i, name, length) == 0) {
        found.ptr = document.ptr + i + length;
        while (i + length + found.len < document.len && found.ptr[found.len] != '"') found.len++;
        return found;
    }
    fail("no member", name);
    return found;
}

static touchmark_bytes decoded(touchmark_bytes base64) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t *out = malloc(base64.len + 1);
    touchmark_bytes bytes = {NULL, 0};
    uint32_t bits = 0;
    unsigned have = 0;
    size_t i;
    if (out == NULL) abort();
    for (i = 0; i < base64.len && base64.ptr[i] != '='; i++) {
        const char *at = strchr(alphabet, base64.ptr[i]);
        if (at == NULL) abort();
        bits = bits << 6 | (uint32_t)(at - alphabet);
        have += 6;
        if (have >= 8) out[bytes.len++] = (uint8_t)(bits >> (have -= 8));
    }
    bytes.ptr = out;
    return bytes;
}

static touchmark_bytes copied(touchmark_bytes bytes) {
    uint8_t *out = malloc(bytes.len + 1);
    if (out == NULL) abort();
    if (bytes.len > 0) memcpy(out, bytes.ptr, bytes.len);
    bytes.ptr = out;
    return bytes;
}

/* What a DSSE envelope signs. */
static touchmark_bytes message_of(touchmark_bytes type, touchmark_bytes payload) {
    char *out = malloc(type.len + payload.len + 64);
    touchmark_bytes bytes;
    int begin;
    if (out == NULL) abort();
    begin = sprintf(out, "DSSEv1 %zu %.*s %zu ", type.len, (int)type.len, (const char *)type.ptr, payload.len);
    memcpy(out + begin, payload.ptr, payload.len);
    bytes.ptr = (const uint8_t *)out;
    bytes.len = (size_t)begin + payload.len;
    return bytes;
}

static touchmark_bytes path_of(const char *name) {
    char *out = malloc(strlen(root_folder) + strlen(name) + 32);
    if (out == NULL) abort();
    sprintf(out, name, root_folder);
    return text(out);
}

/* The one link; its file is named by the key that signed it. */
static void find_link(void) {
    touchmark_bytes folder = path_of("%s/links");
    DIR *directory = opendir((const char *)folder.ptr);
    struct dirent *entry;
    CHECK(directory != NULL);
    while ((entry = readdir(directory)) != NULL) if (entry->d_name[0] != '.') {
        set("link.name", copied(text(entry->d_name)), 1);
        set("link", read_data("links", bytes_named("link.name")), 1);
    }
    closedir(directory);
    free((void *)(uintptr_t)folder.ptr);
}

void read_fixtures(const char *folder) {
    static const char *const texts[][2] = {
        {"empty", ""}, {"json", "{\"b\":[1,{\"a\":\"\\u00e9\"}],\"a\":null}"}, {"passphrase", "correct horse"},
        {"name", "acme/program:1"}, {"name.any", "acme/program:*"}, {"name.other", "acme/other"}, {"key", "org.example.stage"}, {"value", "prod"},
        {"predicate", "https://slsa.dev/provenance/v1"}, {"role", "acme"}, {"platform", "linux/amd64"}, {"store.path", "store"}, {"tar.reference", "oci-archive:image.tar:v1"},
        {"target", "acme/files/program"}, {"listed", "_touchmark/program"}, {"media.type", "application/vnd.oci.image.manifest.v1+json"},
        {"other.media.type", "application/octet-stream"}, {"payload.type", "application/vnd.in-toto+json"},
        {"signed.policy", "{\"version\":1,\"rules\":[{\"names\":\"acme/**\",\"trust\":\"self\"}]}"}, {"two.names", "acme/program acme/other"},
        {"statement.name", "acme/program:1"},
        {"other.digest", "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},
        {"index.digest", "sha256:4a5b1aac429b7a3393db6fa8362cefd264a238d4066d9e1b3393589c749c6b76"}
    };
    static char digest[80];
    touchmark_bytes envelope, key;
    size_t i;
    root_folder = folder;
    for (i = 0; i < 8; i++) set(byte_names[i], read_data("", text(byte_names[i])), 1);
    set("root.json", read_data("trust/metadata", text("1.root.json")), 1);
    set("timestamp.json", read_data("trust/metadata", text("timestamp.json")), 1);
    set("program", copied(text("the program\n")), 1);
    for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) set(texts[i][0], text(texts[i][1]), 0);

    envelope = bytes_named("envelope.json");
    CHECK(envelope.len > 0);
    set("payload", decoded(member(envelope, "\"payload\":\"")), 1);
    set("message", message_of(bytes_named("payload.type"), bytes_named("payload")), 1);
    set("signature", decoded(member(envelope, "\"sig\":\"")), 1);
    sprintf(digest, "sha256:%.64s", (const char *)member(bytes_named("payload"), "\"sha256\":\"").ptr);
    set("digest", text(digest), 0);
    /* The last 32 bytes of an Ed25519 key in DER. */
    key = bytes_named("owner.pub");
    {
        touchmark_bytes line = {key.ptr + strlen("-----BEGIN PUBLIC KEY-----\n"), 60}, der = decoded(line), raw;
        raw.ptr = der.ptr + der.len - 32;
        raw.len = 32;
        set("raw", copied(raw), 1);
        free((void *)(uintptr_t)der.ptr);
    }
    set("layout.reference", path_of("oci:%s/image:v1"), 1);
    set("folder.links", path_of("%s/links"), 1);
    set("policy.path", path_of("%s/policy.json"), 1);
    set("metadata.path", path_of("%s/trust/metadata"), 1);
    find_link();
    for (i = 0; i < FILES; i++) CHECK(named[i].len > 0);
}

void free_fixtures(void) {
    size_t i;
    for (i = 0; i < NAMES; i++) if (owned[i]) free((void *)(uintptr_t)named[i].ptr);
}

enum behaviour behaviours[BEHAVIOURS] = {
    HONEST, NOTHING, GARBAGE, ABSENT, FAILS, UNKNOWN_STATUS, TOO_MUCH, BAD_VIEWS, SAYS_WHY, SAYS_WHY_AND_OK, ABSENT_AFTER_ALL
};

static enum behaviour behaviour_of(const void *userdata) {
    const enum behaviour *behaviour = userdata;
    return behaviour == NULL ? HONEST : *behaviour;
}

/* What a callback that is not honest does. */
static touchmark_status misbehave(enum behaviour behaviour, uint64_t limit, touchmark_sink *sink) {
    static uint8_t block[1 << 16];
    static const uint8_t garbage[] = {0xff, 0xfe, 0x00, '{', '"'};
    touchmark_bytes bytes;
    uint64_t sent;
    touchmark_status status;
    switch (behaviour) {
    case GARBAGE:
        bytes.ptr = garbage;
        bytes.len = sizeof garbage;
        OK(touchmark_sink_append(sink, bytes));
        return TOUCHMARK_STATUS_OK;
    case ABSENT: return TOUCHMARK_STATUS_NOT_FOUND;
    case FAILS: return TOUCHMARK_STATUS_IO_ERROR;
    case UNKNOWN_STATUS: return 123456;
    case TOO_MUCH:
        bytes.ptr = block;
        bytes.len = sizeof block;
        status = TOUCHMARK_STATUS_OK;
        for (sent = 0; sent <= limit + sizeof block && sent < (64U << 20) && status == TOUCHMARK_STATUS_OK; sent += sizeof block)
            status = touchmark_sink_append(sink, bytes);
        if (limit < (32U << 20)) CHECK(status == TOUCHMARK_STATUS_TOO_LARGE);
        return TOUCHMARK_STATUS_OK;
    case BAD_VIEWS:
        bytes.ptr = NULL;
        bytes.len = 1;
        CHECK(touchmark_sink_append(sink, bytes) != TOUCHMARK_STATUS_OK);
        CHECK(touchmark_sink_append(NULL, text("x")) == TOUCHMARK_STATUS_NULL_POINTER);
        CHECK(touchmark_sink_fail(NULL, text("x")) == TOUCHMARK_STATUS_NULL_POINTER);
        bytes.ptr = garbage;
        bytes.len = SIZE_MAX;
        CHECK(touchmark_sink_append(sink, bytes) == TOUCHMARK_STATUS_INVALID_LENGTH);
        CHECK(touchmark_sink_fail(sink, bytes) == TOUCHMARK_STATUS_INVALID_LENGTH);
        bytes.len = (size_t)PTRDIFF_MAX + 1;
        CHECK(touchmark_sink_append(sink, bytes) == TOUCHMARK_STATUS_INVALID_LENGTH);
        bytes.len = sizeof garbage;
        (void)touchmark_sink_fail(sink, bytes);
        return TOUCHMARK_STATUS_INVALID_ARGUMENT;
    case SAYS_WHY:
        (void)touchmark_sink_fail(sink, text("the \"disk\" is\nfull"));
        return TOUCHMARK_STATUS_IO_ERROR;
    case SAYS_WHY_AND_OK:
        (void)touchmark_sink_fail(sink, text("all is well, and is not"));
        return TOUCHMARK_STATUS_OK;
    case ABSENT_AFTER_ALL:
        (void)touchmark_sink_append(sink, text("half"));
        return TOUCHMARK_STATUS_NOT_FOUND;
    default: return TOUCHMARK_STATUS_OK;
    }
}

static touchmark_status give(touchmark_bytes bytes, touchmark_sink *sink) {
    touchmark_status status;
    if (bytes.ptr == NULL) return TOUCHMARK_STATUS_NOT_FOUND;
    status = touchmark_sink_append(sink, bytes);
    free((void *)(uintptr_t)bytes.ptr);
    return status;
}

touchmark_status fetch_metadata(void *userdata, touchmark_bytes path, uint64_t limit, touchmark_sink *sink) {
    enum behaviour behaviour = behaviour_of(userdata);
    if (behaviour != HONEST) return misbehave(behaviour, limit, sink);
    return give(read_data("trust/metadata", path), sink);
}

touchmark_status load_file(void *userdata, touchmark_bytes path, uint64_t limit, touchmark_sink *sink) {
    enum behaviour behaviour = behaviour_of(userdata);
    if (behaviour != HONEST) return misbehave(behaviour, limit, sink);
    return is_text(path, "root.json") ? touchmark_sink_append(sink, bytes_named("root.json")) : TOUCHMARK_STATUS_NOT_FOUND;
}

touchmark_status store_file(void *userdata, touchmark_bytes file, touchmark_bytes bytes) {
    CHECK(file.len > 0 && bytes.len > 0);
    return behaviour_of(userdata) == FAILS ? TOUCHMARK_STATUS_IO_ERROR : behaviour_of(userdata) == UNKNOWN_STATUS ? 123456 : TOUCHMARK_STATUS_OK;
}

touchmark_status remove_file(void *userdata, touchmark_bytes file) {
    CHECK(file.len > 0);
    return behaviour_of(userdata) == FAILS ? TOUCHMARK_STATUS_IO_ERROR : TOUCHMARK_STATUS_OK;
}

#ifdef TOUCHMARK_SIGN
/* Signs by the library itself: a callback may call it, but for what it is called from. */
touchmark_status sign_message(void *userdata, touchmark_bytes message, touchmark_sink *sink) {
    enum behaviour behaviour = behaviour_of(userdata);
    touchmark_bytes type, payload, signature;
    touchmark_signer *signer = shared(type_number("touchmark_signer"), 0);
    const touchmark_signer *signers[1];
    touchmark_envelope *envelope = NULL;
    touchmark_buffer *json = NULL;
    char *end;
    touchmark_status status;
    if (behaviour != HONEST) return misbehave(behaviour, 1 << 16, sink);
    signers[0] = signer;
    CHECK(message.len > 8 && memcmp(message.ptr, "DSSEv1 ", 7) == 0);
    type.len = (size_t)strtoull((const char *)message.ptr + 7, &end, 10);
    type.ptr = (const uint8_t *)end + 1;
    payload.len = (size_t)strtoull((const char *)type.ptr + type.len + 1, &end, 10);
    payload.ptr = (const uint8_t *)end + 1;
    CHECK(payload.ptr + payload.len == message.ptr + message.len);
    OK(touchmark_envelope_sign(type, payload, signers, 1, &envelope, NULL));
    OK(touchmark_envelope_to_json(envelope, &json, NULL));
    signature = decoded(member(touchmark_buffer_bytes(json), "\"sig\":\""));
    status = touchmark_sink_append(sink, signature);
    free((void *)(uintptr_t)signature.ptr);
    touchmark_buffer_free(json);
    touchmark_envelope_free(envelope);
    return status;
}
#endif
