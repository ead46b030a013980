package touchmark

/*
#include "glue.h"
*/
import "C"

import (
	"crypto"
	"crypto/x509"
	"unsafe"
)

// KeyAlgorithm is an algorithm of signatures.
type KeyAlgorithm uint32

// The algorithms of keys. RSA keys are for verifying alone.
const (
	Ed25519   KeyAlgorithm = 1
	ECDSAP256 KeyAlgorithm = 2
	ECDSAP384 KeyAlgorithm = 3
	RSAPSS    KeyAlgorithm = 4
)

func (a KeyAlgorithm) String() string {
	switch a {
	case Ed25519:
		return "ed25519"
	case ECDSAP256:
		return "ecdsa-p256"
	case ECDSAP384:
		return "ecdsa-p384"
	case RSAPSS:
		return "rsa-pss"
	}
	return ""
}

// PublicKey verifies signatures.
type PublicKey struct{ *handle }

func newPublicKey(object *C.touchmark_public_key) *PublicKey {
	return &PublicKey{newHandle(unsafe.Pointer(object), func(p unsafe.Pointer) { C.touchmark_public_key_free((*C.touchmark_public_key)(p)) })}
}

// ReadPublicKey reads SubjectPublicKeyInfo, in PEM or DER.
func ReadPublicKey(document []byte) (*PublicKey, error) {
	var out *C.touchmark_public_key
	var e *C.touchmark_error
	if err := check(C.touchmark_public_key_read(view(document), &out, &e), &e); err != nil {
		return nil, err
	}
	return newPublicKey(out), nil
}

// RawPublicKey is the key of 32 bytes (Ed25519) or of an uncompressed point (ECDSA).
func RawPublicKey(algorithm KeyAlgorithm, raw []byte) (*PublicKey, error) {
	var out *C.touchmark_public_key
	var e *C.touchmark_error
	if err := check(C.touchmark_public_key_from_raw(C.uint32_t(algorithm), view(raw), &out, &e), &e); err != nil {
		return nil, err
	}
	return newPublicKey(out), nil
}

// PublicKeyOf is a key of the standard library, such as an [ed25519.PublicKey] or an [*ecdsa.PublicKey].
func PublicKeyOf(key crypto.PublicKey) (*PublicKey, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, &Error{Status: ErrInvalidKey, Code: "invalid-key", Message: "the key is of no kind that can be written", Cause: err}
	}
	return ReadPublicKey(der)
}

// use runs f with the object, which may be nil.
func (k *PublicKey) use(f func(*C.touchmark_public_key)) {
	object := k.acquire()
	defer k.release(object)
	f((*C.touchmark_public_key)(object))
}

// Algorithm is the key's algorithm.
func (k *PublicKey) Algorithm() KeyAlgorithm {
	object := k.mustAcquire()
	defer k.release(object)
	return KeyAlgorithm(C.touchmark_public_key_algorithm((*C.touchmark_public_key)(object)))
}

// ID identifies the key: the digest of its algorithm and decoded bytes.
func (k *PublicKey) ID() string {
	object := k.mustAcquire()
	defer k.release(object)
	return text(C.touchmark_public_key_id((*C.touchmark_public_key)(object)))
}

// Raw is the decoded key.
func (k *PublicKey) Raw() []byte {
	object := k.mustAcquire()
	defer k.release(object)
	return copied(C.touchmark_public_key_raw((*C.touchmark_public_key)(object)))
}

// PEM is the key as SubjectPublicKeyInfo.
func (k *PublicKey) PEM() (pem []byte, err error) {
	k.use(func(key *C.touchmark_public_key) {
		var out *C.touchmark_buffer
		var e *C.touchmark_error
		pem, err = taken(C.touchmark_public_key_to_pem(key, &out, &e), &out, &e)
	})
	return pem, err
}

// Verify says whether signature is one of message by this key; [ErrBadSignature] if not.
func (k *PublicKey) Verify(message, signature []byte) (err error) {
	k.use(func(key *C.touchmark_public_key) {
		var e *C.touchmark_error
		err = check(C.touchmark_public_key_verify(key, view(message), view(signature), &e), &e)
	})
	return err
}
