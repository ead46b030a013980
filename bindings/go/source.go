package touchmark

/*
#include "glue.h"
*/
import "C"

import (
	"time"
	"unsafe"
)

// Source is an artifact in an OCI layout: a folder, or an archive of one.
type Source struct{ *handle }

// OpenSource opens oci:PATH[:TAG][@DIGEST] or oci-archive:PATH[:TAG][@DIGEST].
func OpenSource(reference string) (*Source, error) {
	var out *C.touchmark_source
	var e *C.touchmark_error
	if err := check(C.touchmark_source_open(viewText(reference), &out, &e), &e); err != nil {
		return nil, err
	}
	return &Source{newHandle(unsafe.Pointer(out), func(p unsafe.Pointer) { C.touchmark_source_free((*C.touchmark_source)(p)) })}, nil
}

// Digest is the digest that the reference names.
func (s *Source) Digest() (string, error) {
	object := s.acquire()
	defer s.release(object)
	var out *C.touchmark_buffer
	var e *C.touchmark_error
	digest, err := taken(C.touchmark_source_digest((*C.touchmark_source)(object), &out, &e), &out, &e)
	return string(digest), err
}

// Manifest is the manifest that the reference names. Nobody has verified it; it has the digest.
func (s *Source) Manifest() ([]byte, error) {
	object := s.acquire()
	defer s.release(object)
	var out *C.touchmark_buffer
	var e *C.touchmark_error
	return taken(C.touchmark_source_manifest((*C.touchmark_source)(object), &out, &e), &out, &e)
}

// Verify decides whether the policy accepts the artifact.
func (s *Source) Verify(policy *Policy, at time.Time) (*VerifiedArtifact, error) {
	object, by := s.acquire(), policy.acquire()
	defer s.release(object)
	defer policy.release(by)
	var out *C.touchmark_verified_artifact
	var e *C.touchmark_error
	status := C.touchmark_source_verify((*C.touchmark_source)(object), (*C.touchmark_policy)(by), seconds(at), &out, &e)
	return newArtifact(check(status, &e), out)
}

// VerifyRequest decides a request by what lies in the layout.
func (s *Source) VerifyRequest(request *Request) (*VerifiedArtifact, error) {
	object, asked := s.acquire(), request.acquire()
	defer s.release(object)
	defer request.release(asked)
	var out *C.touchmark_verified_artifact
	var e *C.touchmark_error
	status := C.touchmark_source_verify_request((*C.touchmark_source)(object), (*C.touchmark_request)(asked), &out, &e)
	return newArtifact(check(status, &e), out)
}

// Attach stores envelopes beside the artifact. Folders alone can be written.
func (s *Source) Attach(envelopes ...*Envelope) error {
	var a arguments
	defer a.done()
	array := make([]*C.touchmark_envelope, len(envelopes))
	for i, envelope := range envelopes {
		array[i] = (*C.touchmark_envelope)(a.use(envelope.handle))
	}
	var e *C.touchmark_error
	return check(C.touchmark_source_attach((*C.touchmark_source)(a.use(s.handle)), unsafe.SliceData(array), C.size_t(len(array)), &e), &e)
}

// PolicyFile is a policy document with the keys and trust roots that it names.
type PolicyFile struct{ *handle }

// OpenPolicyFile opens a local policy.
func OpenPolicyFile(path string) (*PolicyFile, error) {
	var out *C.touchmark_policy_file
	var e *C.touchmark_error
	if err := check(C.touchmark_policy_file_open(viewText(path), &out, &e), &e); err != nil {
		return nil, err
	}
	return &PolicyFile{newHandle(unsafe.Pointer(out), func(p unsafe.Pointer) { C.touchmark_policy_file_free((*C.touchmark_policy_file)(p)) })}, nil
}

// Verify decides about the artifact by the rule for its reference, or for the name that it is asked for [AsName]. Where a trust root decides, the
// policy that its repository signs must accept the artifact too.
func (f *PolicyFile) Verify(source *Source, at time.Time, options ...PolicyFileOption) (*VerifiedArtifact, error) {
	var asked question
	for _, option := range options {
		if err := option.askPolicyFile(&asked); err != nil {
			return nil, err
		}
	}
	object, about := f.acquire(), source.acquire()
	defer f.release(object)
	defer source.release(about)
	var out *C.touchmark_verified_artifact
	var e *C.touchmark_error
	status := C.touchmark_policy_file_verify((*C.touchmark_policy_file)(object), (*C.touchmark_source)(about),
		viewText(asked.name), viewText(asked.platform), seconds(at), &out, &e)
	return newArtifact(check(status, &e), out)
}

// question is what is asked beside the reference of a source. Empty is not asked.
type question struct{ name, platform string }

// PolicyFileOption says more about what a policy file is asked: [AsName], [ForPlatform].
type PolicyFileOption interface{ askPolicyFile(*question) error }

// TrustRootOption says more about what a trust root is asked: [ForPlatform].
type TrustRootOption interface{ askTrustRoot(*question) error }

// AsName asks for a name: NAME, NAME:VERSION, or NAME:* for any version. Without it only rules for references are asked.
type AsName string

func (n AsName) askPolicyFile(asked *question) error {
	asked.name = string(n)
	if n == "" { // which the library takes for no name
		return CheckName("")
	}
	return nil
}

// ForPlatform asks for the image that the index lists for a platform: OS/ARCH or OS/ARCH/VARIANT, as in "linux/arm/v7". The signatures of the index
// decide, where the rule lets them.
type ForPlatform string

func (p ForPlatform) askPolicyFile(asked *question) error { return p.askTrustRoot(asked) }

func (p ForPlatform) askTrustRoot(asked *question) error {
	asked.platform = string(p)
	if p == "" {
		return &Error{Status: ErrInvalidArgument, Code: "invalid-argument", Message: "the platform is empty"}
	}
	return nil
}
