package touchmark

/*
#include "glue.h"
*/
import "C"

import (
	"io"
	"unsafe"
)

// DigestAlgorithm is an algorithm of digests.
type DigestAlgorithm uint32

// The algorithms of digests.
const (
	SHA256 DigestAlgorithm = 1
	SHA512 DigestAlgorithm = 2
)

// Digest is the digest of content, as in "sha256:…".
func Digest(algorithm DigestAlgorithm, content []byte) (string, error) {
	var out *C.touchmark_buffer
	var e *C.touchmark_error
	digest, err := taken(C.touchmark_digest(C.uint32_t(algorithm), view(content), &out, &e), &out, &e)
	return string(digest), err
}

// DigestReader is the digest of all that r gives, and its length.
func DigestReader(algorithm DigestAlgorithm, r io.Reader) (digest string, size int64, err error) {
	hasher, err := NewHasher(algorithm)
	if err != nil {
		return "", 0, err
	}
	defer hasher.Close()
	if size, err = io.Copy(hasher, r); err != nil {
		return "", size, err
	}
	digest, err = hasher.Finish()
	return digest, size, err
}

// Hasher computes a digest piece by piece. It is an [io.Writer].
type Hasher struct{ *handle }

// NewHasher begins a digest.
func NewHasher(algorithm DigestAlgorithm) (*Hasher, error) {
	var out *C.touchmark_hasher
	var e *C.touchmark_error
	if err := check(C.touchmark_hasher_new(C.uint32_t(algorithm), &out, &e), &e); err != nil {
		return nil, err
	}
	return &Hasher{newHandle(unsafe.Pointer(out), func(p unsafe.Pointer) { C.touchmark_hasher_free((*C.touchmark_hasher)(p)) })}, nil
}

// Write adds to what is hashed.
func (h *Hasher) Write(piece []byte) (int, error) {
	object, err := h.acquireAlone()
	if err != nil {
		return 0, err
	}
	defer h.release(object)
	var e *C.touchmark_error
	if err := check(C.touchmark_hasher_update((*C.touchmark_hasher)(object), view(piece), &e), &e); err != nil {
		return 0, err
	}
	return len(piece), nil
}

// Finish is the digest, as in "sha256:…". Afterwards the hasher is [ErrWrongState].
func (h *Hasher) Finish() (string, error) {
	object, err := h.acquireAlone()
	if err != nil {
		return "", err
	}
	defer h.release(object)
	var out *C.touchmark_buffer
	var e *C.touchmark_error
	digest, err := taken(C.touchmark_hasher_finish((*C.touchmark_hasher)(object), &out, &e), &out, &e)
	return string(digest), err
}
