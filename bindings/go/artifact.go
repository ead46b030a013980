package touchmark

/*
#include "glue.h"
*/
import "C"

import (
	"time"
	"unsafe"
)

// VerifyManifest decides about a manifest by the envelopes that are given, without any I/O.
func VerifyManifest(policy *Policy, manifest []byte, envelopes [][]byte, at time.Time) (*VerifiedArtifact, error) {
	object := policy.acquire()
	defer policy.release(object)
	var a arguments
	defer a.done()
	array, count := a.views(envelopes)
	var out *C.touchmark_verified_artifact
	var e *C.touchmark_error
	status := C.touchmark_verify_manifest((*C.touchmark_policy)(object), view(manifest), array, count, seconds(at), &out, &e)
	return newArtifact(check(status, &e), out)
}

// VerifiedArtifact is an artifact that a policy accepted.
type VerifiedArtifact struct{ *handle }

func newArtifact(err error, object *C.touchmark_verified_artifact) (*VerifiedArtifact, error) {
	if err != nil {
		return nil, err
	}
	return &VerifiedArtifact{newHandle(unsafe.Pointer(object), func(p unsafe.Pointer) {
		C.touchmark_verified_artifact_free((*C.touchmark_verified_artifact)(p))
	})}, nil
}

func (v *VerifiedArtifact) use(f func(*C.touchmark_verified_artifact)) {
	object := v.acquire()
	defer v.release(object)
	f((*C.touchmark_verified_artifact)(object))
}

// Digest is the digest of what was asked about.
func (v *VerifiedArtifact) Digest() string {
	object := v.mustAcquire()
	defer v.release(object)
	return text(C.touchmark_verified_artifact_digest((*C.touchmark_verified_artifact)(object)))
}

// MediaType is the manifest's media type.
func (v *VerifiedArtifact) MediaType() string {
	object := v.mustAcquire()
	defer v.release(object)
	return text(C.touchmark_verified_artifact_media_type((*C.touchmark_verified_artifact)(object)))
}

// Size is the manifest's length in bytes.
func (v *VerifiedArtifact) Size() uint64 {
	object := v.mustAcquire()
	defer v.release(object)
	return uint64(C.touchmark_verified_artifact_size((*C.touchmark_verified_artifact)(object)))
}

// Manifest is the manifest, if the decision read it.
func (v *VerifiedArtifact) Manifest() []byte {
	object := v.mustAcquire()
	defer v.release(object)
	return copied(C.touchmark_verified_artifact_manifest((*C.touchmark_verified_artifact)(object)))
}

// Name is the NAME[:VERSION] that was verified; empty if the policy asked for none.
func (v *VerifiedArtifact) Name() string {
	object := v.mustAcquire()
	defer v.release(object)
	return text(C.touchmark_verified_artifact_name((*C.touchmark_verified_artifact)(object)))
}

// JSON is the whole report, as the command line prints it.
func (v *VerifiedArtifact) JSON() (report []byte, err error) {
	v.use(func(artifact *C.touchmark_verified_artifact) {
		var out *C.touchmark_buffer
		var e *C.touchmark_error
		report, err = taken(C.touchmark_verified_artifact_to_json(artifact, &out, &e), &out, &e)
	})
	return report, err
}
