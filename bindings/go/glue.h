/* What Go cannot say by itself: function pointers. Each `touchmark_go_*` function below is called by the library and written in Go. */
#ifndef TOUCHMARK_GO_GLUE_H
#define TOUCHMARK_GO_GLUE_H

#include <stdint.h>
#include <touchmark.h>

touchmark_status touchmark_go_signer(const touchmark_public_key *key, uintptr_t call, touchmark_signer **out, touchmark_error **error);
touchmark_status touchmark_go_drive(touchmark_tuf_client *client, uintptr_t call, touchmark_error **error);
touchmark_status touchmark_go_trust_root(touchmark_bytes root, uint32_t targets, uintptr_t call, touchmark_bytes store, int64_t at,
                                         touchmark_trust_root **out, touchmark_error **error);

#endif
