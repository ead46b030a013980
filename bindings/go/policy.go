package touchmark

/*
#include "glue.h"
*/
import "C"

import "unsafe"

// Policy is what an artifact must satisfy.
type Policy struct{ *handle }

// Acceptance is a kind of evidence that a trust root may accept by.
type Acceptance uint32

// The kinds of evidence.
const (
	AcceptEntry Acceptance = 1 << iota // an entry of the metadata: fresh, and no older one
	AcceptSeal
	AcceptEnvelopes
)

// PolicyOption asks for more.
type PolicyOption func(*builder) error

// builder is a policy that is being made.
type builder struct {
	object *C.touchmark_policy_builder
	e      *C.touchmark_error
}

// WithName asks for a name: NAME, NAME:VERSION, or NAME:* for any version.
func WithName(wanted string) PolicyOption {
	return func(b *builder) error {
		return check(C.touchmark_policy_builder_set_name(b.object, viewText(wanted), &b.e), &b.e)
	}
}

// WithAnnotation asks for an annotation that was signed.
func WithAnnotation(key, value string) PolicyOption {
	return func(b *builder) error {
		return check(C.touchmark_policy_builder_require_annotation(b.object, viewText(key), viewText(value), &b.e), &b.e)
	}
}

// WithPredicate asks for an attestation of this predicate type.
func WithPredicate(predicateType string) PolicyOption {
	return func(b *builder) error {
		return check(C.touchmark_policy_builder_require_predicate(b.object, viewText(predicateType), &b.e), &b.e)
	}
}

// WithAcceptOnly accepts these kinds of evidence alone.
func WithAcceptOnly(kinds Acceptance) PolicyOption {
	return func(b *builder) error {
		return check(C.touchmark_policy_builder_accept_only(b.object, C.uint32_t(kinds), &b.e), &b.e)
	}
}

// WithRole accepts by this role of the trust root alone.
func WithRole(role string) PolicyOption {
	return func(b *builder) error {
		return check(C.touchmark_policy_builder_by_role(b.object, viewText(role), &b.e), &b.e)
	}
}

// WithSupplyChain asks that the artifact came about as an in-toto layout says that every one of the keys signed. It is given once:
// a policy has one layout, and a second one is [ErrWrongState].
func WithSupplyChain(layout []byte, keys ...*PublicKey) PolicyOption {
	return func(b *builder) error {
		var a arguments
		defer a.done()
		array, count := a.keys(keys)
		return check(C.touchmark_policy_builder_require_supply_chain(b.object, view(layout), array, count, &b.e), &b.e)
	}
}

// NewPolicy asks for signatures by at least threshold of the keys.
func NewPolicy(keys []*PublicKey, threshold int, options ...PolicyOption) (*Policy, error) {
	var a arguments
	defer a.done()
	array, count := a.keys(keys)
	var b builder
	if err := check(C.touchmark_policy_builder_from_keys(array, count, size(threshold), &b.object, &b.e), &b.e); err != nil {
		return nil, err
	}
	return b.build(options)
}

// NewStandingPolicy asks for what the metadata of a trust root says of a name, and for nothing of the policy that its repository signs itself: whoever
// has the source of an artifact uses [TrustRoot.Verify], which asks both.
func NewStandingPolicy(standing *Standing, options ...PolicyOption) (*Policy, error) {
	object := standing.acquire()
	defer standing.release(object)
	var b builder
	if err := check(C.touchmark_policy_builder_from_standing((*C.touchmark_standing)(object), &b.object, &b.e), &b.e); err != nil {
		return nil, err
	}
	return b.build(options)
}

func (b *builder) build(options []PolicyOption) (*Policy, error) {
	defer func() { C.touchmark_policy_builder_free(b.object) }()
	for _, option := range options {
		if err := option(b); err != nil {
			return nil, err
		}
	}
	var out *C.touchmark_policy
	if err := check(C.touchmark_policy_builder_build(b.object, &out, &b.e), &b.e); err != nil {
		return nil, err
	}
	return &Policy{newHandle(unsafe.Pointer(out), func(p unsafe.Pointer) { C.touchmark_policy_free((*C.touchmark_policy)(p)) })}, nil
}

// Origin is where a policy document comes from.
type Origin uint32

// The origins. A local document may speak of registry references.
const (
	OriginLocal  Origin = 1
	OriginSigned Origin = 2
)

// PolicyDocument is a policy as JSON.
type PolicyDocument struct{ *handle }

// ReadPolicyDocument reads a policy; [ErrUnsupported] if it demands an in-toto layout and the library has no [FeatureSupplyChain].
func ReadPolicyDocument(document []byte, origin Origin) (*PolicyDocument, error) {
	var out *C.touchmark_policy_document
	var e *C.touchmark_error
	if err := check(C.touchmark_policy_document_read(view(document), C.uint32_t(origin), &out, &e), &e); err != nil {
		return nil, err
	}
	return &PolicyDocument{newHandle(unsafe.Pointer(out), func(p unsafe.Pointer) { C.touchmark_policy_document_free((*C.touchmark_policy_document)(p)) })}, nil
}

// Check is what there is to say about the document, as JSON.
func (d *PolicyDocument) Check() ([]byte, error) {
	object := d.acquire()
	defer d.release(object)
	var out *C.touchmark_buffer
	var e *C.touchmark_error
	return taken(C.touchmark_policy_document_check((*C.touchmark_policy_document)(object), &out, &e), &out, &e)
}

// Decide is the rule that decides about a reference or a name, each of which may be empty, as JSON; [ErrPolicyRejected] if none accepts.
func (d *PolicyDocument) Decide(reference, name string) ([]byte, error) {
	object := d.acquire()
	defer d.release(object)
	var out *C.touchmark_buffer
	var e *C.touchmark_error
	return taken(C.touchmark_policy_document_decide((*C.touchmark_policy_document)(object), viewText(reference), viewText(name), &out, &e), &out, &e)
}
