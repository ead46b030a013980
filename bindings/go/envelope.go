package touchmark

/*
#include "glue.h"
*/
import "C"

import (
	"context"
	"time"
	"unsafe"
)

// Envelope is a DSSE envelope that nobody has verified.
type Envelope struct{ *handle }

func newEnvelope(object *C.touchmark_envelope) *Envelope {
	return &Envelope{newHandle(unsafe.Pointer(object), func(p unsafe.Pointer) { C.touchmark_envelope_free((*C.touchmark_envelope)(p)) })}
}

// ParseEnvelope reads an envelope. It verifies nothing.
func ParseEnvelope(document []byte) (*Envelope, error) {
	var out *C.touchmark_envelope
	var e *C.touchmark_error
	if err := check(C.touchmark_envelope_parse(view(document), &out, &e), &e); err != nil {
		return nil, err
	}
	return newEnvelope(out), nil
}

func (v *Envelope) use(f func(*C.touchmark_envelope)) {
	object := v.acquire()
	defer v.release(object)
	f((*C.touchmark_envelope)(object))
}

// PayloadType is what the envelope says that its payload is.
func (v *Envelope) PayloadType() string {
	object := v.mustAcquire()
	defer v.release(object)
	return text(C.touchmark_envelope_payload_type((*C.touchmark_envelope)(object)))
}

// UntrustedPayload is the payload, which nobody has verified.
func (v *Envelope) UntrustedPayload() []byte {
	object := v.mustAcquire()
	defer v.release(object)
	return copied(C.touchmark_envelope_untrusted_payload((*C.touchmark_envelope)(object)))
}

// KeyIDs are the keyids of the signatures: hints that anybody can write.
func (v *Envelope) KeyIDs() (ids []string) {
	object := v.mustAcquire()
	defer v.release(object)
	envelope := (*C.touchmark_envelope)(object)
	for i := C.size_t(0); i < C.touchmark_envelope_signature_count(envelope); i++ {
		ids = append(ids, text(C.touchmark_envelope_signature_keyid(envelope, i)))
	}
	return ids
}

// JSON is the envelope as it is stored.
func (v *Envelope) JSON() (document []byte, err error) {
	v.use(func(envelope *C.touchmark_envelope) {
		var out *C.touchmark_buffer
		var e *C.touchmark_error
		document, err = taken(C.touchmark_envelope_to_json(envelope, &out, &e), &out, &e)
	})
	return document, err
}

// Verify verifies the envelope by at least threshold of the keys; [ErrThresholdNotReached] if fewer signed.
func (v *Envelope) Verify(threshold int, keys ...*PublicKey) (verified *VerifiedEnvelope, err error) {
	var a arguments
	defer a.done()
	array, count := a.keys(keys)
	v.use(func(envelope *C.touchmark_envelope) {
		var out *C.touchmark_verified_envelope
		var e *C.touchmark_error
		if err = check(C.touchmark_envelope_verify(envelope, array, count, size(threshold), &out, &e), &e); err == nil {
			verified = &VerifiedEnvelope{newHandle(unsafe.Pointer(out), func(p unsafe.Pointer) {
				C.touchmark_verified_envelope_free((*C.touchmark_verified_envelope)(p))
			})}
		}
	})
	return verified, err
}

// size is a number that the library refuses if it is negative, as it refuses 0.
func size(n int) C.size_t {
	if n < 0 {
		return 0
	}
	return C.size_t(n)
}

// VerifiedEnvelope is an envelope that a threshold of keys signed.
type VerifiedEnvelope struct{ *handle }

// Payload is what was signed.
func (v *VerifiedEnvelope) Payload() []byte {
	object := v.mustAcquire()
	defer v.release(object)
	return copied(C.touchmark_verified_envelope_payload((*C.touchmark_verified_envelope)(object)))
}

// PayloadType is the type that was signed.
func (v *VerifiedEnvelope) PayloadType() string {
	object := v.mustAcquire()
	defer v.release(object)
	return text(C.touchmark_verified_envelope_payload_type((*C.touchmark_verified_envelope)(object)))
}

// KeyIDs identify the keys that signed, as [PublicKey.ID] does.
func (v *VerifiedEnvelope) KeyIDs() (ids []string) {
	object := v.mustAcquire()
	defer v.release(object)
	verified := (*C.touchmark_verified_envelope)(object)
	for i := C.size_t(0); i < C.touchmark_verified_envelope_key_count(verified); i++ {
		ids = append(ids, text(C.touchmark_verified_envelope_key_id(verified, i)))
	}
	return ids
}

// SignEnvelope signs a payload.
func SignEnvelope(ctx context.Context, payloadType string, payload []byte, by ...*Signer) (envelope *Envelope, err error) {
	err = signers(ctx, by, func(array **C.touchmark_signer, count C.size_t) error {
		var out *C.touchmark_envelope
		var e *C.touchmark_error
		err := check(C.touchmark_envelope_sign(viewText(payloadType), view(payload), array, count, &out, &e), &e)
		if err == nil {
			envelope = newEnvelope(out)
		}
		return err
	})
	return envelope, err
}

// AddSignature is the envelope with one signature more.
func (v *Envelope) AddSignature(ctx context.Context, by *Signer) (envelope *Envelope, err error) {
	err = signers(ctx, []*Signer{by}, func(array **C.touchmark_signer, _ C.size_t) (err error) {
		v.use(func(own *C.touchmark_envelope) {
			var out *C.touchmark_envelope
			var e *C.touchmark_error
			if err = check(C.touchmark_envelope_add_signature(own, *array, &out, &e), &e); err == nil {
				envelope = newEnvelope(out)
			}
		})
		return err
	})
	return envelope, err
}

// Claims are what a signature says of a manifest beside its digest. Only Issued must be there.
type Claims struct {
	Name        string // NAME or NAME:VERSION, the publisher's own
	MediaType   string // if empty, what the manifest says
	Annotations map[string]string
	Issued      time.Time
	Expires     time.Time // if zero, never
}

// SignManifest signs the manifest of an artifact.
func SignManifest(ctx context.Context, manifest []byte, claims Claims, by ...*Signer) (envelope *Envelope, err error) {
	var a arguments
	defer a.done()
	pairs, pairCount := a.pairs(claims.Annotations)
	var expires C.int64_t
	if !claims.Expires.IsZero() {
		expires = seconds(claims.Expires)
		if expires <= 0 {
			return nil, &Error{Status: ErrInvalidTime, Code: "invalid-time", Message: "the expiry lies before 1970"}
		}
	}
	err = signers(ctx, by, func(array **C.touchmark_signer, count C.size_t) error {
		var out *C.touchmark_envelope
		var e *C.touchmark_error
		err := check(C.touchmark_sign_manifest(view(manifest), viewText(claims.MediaType), viewText(claims.Name), pairs, pairCount,
			seconds(claims.Issued), expires, array, count, &out, &e), &e)
		if err == nil {
			envelope = newEnvelope(out)
		}
		return err
	})
	return envelope, err
}

// seconds is the time as the library takes it. The zero time is negative, which the library refuses.
func seconds(t time.Time) C.int64_t { return C.int64_t(t.Unix()) }
