/* The operations. Each fails its case if what comes of it is not what is expected. */
#ifndef RUN_H
#define RUN_H

#include "flat.h"

/* At most so many keys, envelopes, annotations and parameters. */
#define MOST 512

void run_canonical_json(struct flat_case *one);
void run_digest(struct flat_case *one);
void run_name(struct flat_case *one);
void run_public_key(struct flat_case *one);
void run_signature(struct flat_case *one);
void run_envelope(struct flat_case *one);
void run_policy_document(struct flat_case *one);
void run_verify(struct flat_case *one);
void run_search(struct flat_case *one);
void run_layout(struct flat_case *one);
void run_standing(struct flat_case *one);
void run_tuf(struct flat_case *one);
void run_supply_chain(struct flat_case *one);

/* Whether a status and an error's code are those below a place. Frees the error. 1 if the status is TOUCHMARK_STATUS_OK, as expected. */
int expected(struct flat_case *one, const char *place, touchmark_status status, touchmark_error *error);
/* Compares a text or bytes with what is below a place, if something is. */
void expect_bytes(struct flat_case *one, const char *place, const char *name, touchmark_bytes found);

struct keys {
    touchmark_public_key *all[MOST];
    size_t count;
};

/* The keys of a case. What is no key is the outcome. */
touchmark_status keys_read(struct flat_case *one, struct keys *keys, touchmark_error **error);
void keys_free(struct keys *keys);

struct list {
    touchmark_bytes all[MOST];
    size_t count;
};

/* The inputs of a list. */
struct list inputs(struct flat_case *one, const char *name);

/* Decides about the manifest and the envelopes of a case, and compares. */
void decide(struct flat_case *one, const touchmark_policy_builder *builder);
/* What is expected of a decision. Frees both. */
void expect_artifact(struct flat_case *one, touchmark_status status, touchmark_verified_artifact *artifact, touchmark_error *error);

#endif
