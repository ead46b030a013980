// Package touchmark verifies and signs OCI artifacts. It is a thin binding over Touchmark's C interface: what is accepted and what is refused is
// decided there, and is the same in every language.
//
// Whatever is read is untrusted until a verification gives it back: [VerifiedEnvelope], [VerifiedArtifact] and [VerifiedSupplyChain] exist only
// after success. Every verification takes the time at which it is to hold; the zero [time.Time] is refused.
//
// # Errors
//
// Every error that the library gives is an [*Error]. [errors.Is] compares it with a status, such as [ErrThresholdNotReached], or with a class of
// them, such as [ClassSignatures]; the error of a callback, and that of a context that ended, are in the chain too. A verification that returns an
// error verified nothing.
//
// # Handles
//
// Keys, policies, envelopes and what was verified are immutable, and may be used from many goroutines. [Hasher], [Search], [TUFClient],
// [SupplyChain] and [TrustRoot] are used by one at a time; a second use at the same time, also from within a callback, is [ErrWrongState]. Close
// gives memory back at once; what is not closed is freed by the garbage collector some time later. A handle that was closed answers
// [ErrNullPointer]. A method that has no error to return, such as [VerifiedEnvelope.Payload], panics: nothing empty must be taken for what was
// verified.
package touchmark

/*
#include "glue.h"
*/
import "C"

// The features that a build of the library may have.
const (
	FeatureSign        Features = 1 << iota // keys for signing, and signing
	FeatureIO                               // folders, archives and policy files by path
	FeatureX509                             // certificates of layouts
	FeatureSupplyChain                      // in-toto layouts
)

// Features is a set of features.
type Features uint32

// Version is the version of the library, as in "0.1.0".
func Version() string { return text(C.touchmark_version()) }

// ABIVersion is the version of the C interface: major<<24 | minor<<12 | patch.
func ABIVersion() uint32 { return uint32(C.touchmark_abi_version()) }

// BuildFeatures says what the library was built with.
func BuildFeatures() Features { return Features(C.touchmark_features()) }

// CheckName says whether name is a NAME or NAME:VERSION that a publisher may sign.
func CheckName(name string) error {
	var e *C.touchmark_error
	return check(C.touchmark_name_check(viewText(name), &e), &e)
}

// CanonicalJSON is document in canonical form.
func CanonicalJSON(document []byte) ([]byte, error) {
	var out *C.touchmark_buffer
	var e *C.touchmark_error
	return taken(C.touchmark_canonical_json(view(document), &out, &e), &out, &e)
}
