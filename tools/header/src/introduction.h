/* What the library was built with. A build for verifying alone has neither signing nor files nor in-toto layouts: define
   TOUCHMARK_VERIFIER_ONLY for it (pkg-config and CMake do). */
#ifndef TOUCHMARK_VERIFIER_ONLY
#define TOUCHMARK_SIGN 1
#define TOUCHMARK_IO 1
#endif
#if defined(TOUCHMARK_IO) && !defined(TOUCHMARK_SUPPLY_CHAIN)
#define TOUCHMARK_SUPPLY_CHAIN 1
#endif

/*
 * How it is used (SPEC.md, "The C interface", has all of it):
 *
 * - What can fail returns a touchmark_status, 0 for success. Results come by the pointers at the end, which are zeroed first.
 *   The last one is for an error, and may be NULL; what it then points to is there only if the call failed, and is freed by the caller.
 * - A function names the statuses that are its own. What every argument must be has its own wherever it is one: TOUCHMARK_STATUS_NULL_POINTER,
 *   _INVALID_LENGTH, _INVALID_UTF8, _INVALID_TIME, _INVALID_NAME, _INVALID_DIGEST, and _INVALID_ARGUMENT for a number or a text that names nothing.
 * - Handles are opaque. Each is freed by the caller with the function of its kind, to which NULL is nothing. None needs another one
 *   to live longer than the call that it was given to, so that they are freed in any order.
 * - A touchmark_bytes that is given is read during the call: NULL is allowed if its length is 0. One that is returned is a view,
 *   which lives as long as the handle that it came from. Text is UTF-8 and need not end with a NUL.
 * - An array is a pointer to its first element and a count; NULL is allowed if the count is 0.
 * - Times are seconds since 1970, given with every call that decides. 0 and less are refused.
 * - Handles that nothing changes may be used by any number of threads at once: keys, signers, envelopes, policies, standings, what was
 *   verified, errors, buffers. The others take one call at a time, and answer TOUCHMARK_STATUS_WRONG_STATE to another one meanwhile,
 *   also to one out of a callback. A handle is not freed while a call uses it.
 * - What is verified is a handle that exists only after success: touchmark_verified_... hold what was verified, and programs go on
 *   with what is in there.
 * - Functions of the caller must return: no exceptions, no longjmp. They give bytes through a sink.
 */
