package touchmark

/*
#include "glue.h"
*/
import "C"

import (
	"context"
	"crypto"
	"crypto/rand"
	_ "crypto/sha256" // the hash of P-256 and P-384 signatures
	_ "crypto/sha512"
	"errors"
	"runtime/cgo"
	"unsafe"
)

// A Signer signs envelopes: by a [PrivateKey], by a [crypto.Signer], or by a function.
type Signer struct {
	private *PrivateKey
	public  *PublicKey
	sign    func(ctx context.Context, message []byte) ([]byte, error)
}

// NewSigner signs by a key.
func NewSigner(key *PrivateKey) *Signer { return &Signer{private: key} }

// NewSignerFunc signs by a function, which is given the message itself, and returns a raw Ed25519 signature or an ECDSA one in DER. What it returns is
// verified by the public key before it is used. A signer that is used by many goroutines needs a function that may be.
func NewSignerFunc(public *PublicKey, sign func(ctx context.Context, message []byte) ([]byte, error)) *Signer {
	return &Signer{public: public, sign: sign}
}

// NewCryptoSigner signs by a [crypto.Signer] with an Ed25519 or ECDSA key, such as one of a hardware token.
func NewCryptoSigner(signer crypto.Signer) (*Signer, error) {
	public, err := PublicKeyOf(signer.Public())
	if err != nil {
		return nil, err
	}
	var hash crypto.Hash
	switch public.Algorithm() {
	case Ed25519:
	case ECDSAP256:
		hash = crypto.SHA256
	case ECDSAP384:
		hash = crypto.SHA384
	default:
		return nil, errors.Join(&Error{Status: ErrUnsupported, Code: "unsupported", Message: "signing by this kind of key"}, public.Close())
	}
	return NewSignerFunc(public, func(_ context.Context, message []byte) ([]byte, error) {
		if hash != 0 {
			h := hash.New()
			h.Write(message)
			message = h.Sum(nil)
		}
		return signer.Sign(rand.Reader, message, hash)
	}), nil
}

// signers gives f an array of the library's signers, made for this one call, so that each has the call's context and its errors are its own.
func signers(ctx context.Context, all []*Signer, f func(**C.touchmark_signer, C.size_t) error) error {
	var a arguments
	defer a.done()
	calls := make([]*call, 0, len(all))
	made := make([]*C.touchmark_signer, 0, len(all))
	defer func() {
		for _, signer := range made {
			C.touchmark_signer_free(signer)
		}
	}()
	for _, signer := range all {
		var out *C.touchmark_signer
		var e *C.touchmark_error
		var status C.touchmark_status
		if signer.sign == nil {
			status = C.touchmark_signer_from_key((*C.touchmark_private_key)(a.use(signer.private.handle)), &out, &e)
		} else {
			c := &call{ctx: ctx, sign: signer.sign}
			number := cgo.NewHandle(c)
			defer number.Delete()
			calls = append(calls, c)
			status = C.touchmark_go_signer((*C.touchmark_public_key)(a.use(signer.public.handle)), C.uintptr_t(number), &out, &e)
		}
		if err := check(status, &e); err != nil {
			return err
		}
		made = append(made, out)
	}
	err := f(unsafe.SliceData(made), C.size_t(len(made)))
	for _, c := range calls {
		err = c.finish(err)
	}
	return err
}
