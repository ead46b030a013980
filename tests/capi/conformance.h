/* What the files of the conformance program share. */
#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include "engine.h"

/* Checks the status, and frees the error that the call left in `error`. */
#define GIVES(name, call) gives(TOUCHMARK_STATUS_##name, #name, (call), __FILE__, __LINE__, #call)
extern touchmark_error *error;
void gives(touchmark_status expected, const char *name, touchmark_status, const char *file, int line, const char *what);
int same(touchmark_bytes, touchmark_bytes);
int contains(touchmark_bytes, const char *part);
/* A new handle (handles.c). */
void *of(const char *type, unsigned variety);

/* conformance_steps.c */
void searches(void);
void metadata(void);
void reentrance(void);
void supply_chains(void);

#endif
