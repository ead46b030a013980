package touchmark

/*
#include "glue.h"
*/
import "C"

import "unsafe"

// PrivateKey signs, by [NewSigner]. Its memory is wiped when it is freed, so close it.
type PrivateKey struct{ *handle }

func newPrivateKey(object *C.touchmark_private_key) *PrivateKey {
	return &PrivateKey{newHandle(unsafe.Pointer(object), func(p unsafe.Pointer) { C.touchmark_private_key_free((*C.touchmark_private_key)(p)) })}
}

// GenerateKey makes a new key.
func GenerateKey(algorithm KeyAlgorithm) (*PrivateKey, error) {
	var out *C.touchmark_private_key
	var e *C.touchmark_error
	if err := check(C.touchmark_private_key_generate(C.uint32_t(algorithm), &out, &e), &e); err != nil {
		return nil, err
	}
	return newPrivateKey(out), nil
}

// ReadPrivateKey reads PKCS#8, in PEM or DER. The passphrase is empty for a key that is not encrypted.
func ReadPrivateKey(document, passphrase []byte) (*PrivateKey, error) {
	var out *C.touchmark_private_key
	var e *C.touchmark_error
	if err := check(C.touchmark_private_key_read(view(document), view(passphrase), &out, &e), &e); err != nil {
		return nil, err
	}
	return newPrivateKey(out), nil
}

// PEM is the key as PKCS#8, not encrypted.
func (k *PrivateKey) PEM() ([]byte, error) {
	object := k.acquire()
	defer k.release(object)
	var out *C.touchmark_buffer
	var e *C.touchmark_error
	return taken(C.touchmark_private_key_to_pem((*C.touchmark_private_key)(object), &out, &e), &out, &e)
}

// EncryptedPEM is the key as PKCS#8, encrypted by a passphrase that is not empty.
func (k *PrivateKey) EncryptedPEM(passphrase []byte) ([]byte, error) {
	object := k.acquire()
	defer k.release(object)
	var out *C.touchmark_buffer
	var e *C.touchmark_error
	return taken(C.touchmark_private_key_to_encrypted_pem((*C.touchmark_private_key)(object), view(passphrase), &out, &e), &out, &e)
}

// Public is the public half.
func (k *PrivateKey) Public() (*PublicKey, error) {
	object := k.acquire()
	defer k.release(object)
	var out *C.touchmark_public_key
	var e *C.touchmark_error
	if err := check(C.touchmark_private_key_public((*C.touchmark_private_key)(object), &out, &e), &e); err != nil {
		return nil, err
	}
	return newPublicKey(out), nil
}
