package touchmark

/*
#include "glue.h"
*/
import "C"

import (
	"context"
	"errors"
	"io/fs"
	"time"
	"unsafe"
)

// Request is a question about an artifact.
type Request struct{ *handle }

// RequestOption says more about a request.
type RequestOption struct {
	apply func(*C.touchmark_request, **C.touchmark_error) C.touchmark_status
}

// CoveredBy asks for the artifact as a child of a signed index.
func CoveredBy(index string) RequestOption {
	return RequestOption{func(r *C.touchmark_request, e **C.touchmark_error) C.touchmark_status {
		return C.touchmark_request_covered_by(r, viewText(index), e)
	}}
}

// Platform asks for the child of the index for a platform, as in "linux/amd64".
func Platform(platform string) RequestOption {
	return RequestOption{func(r *C.touchmark_request, e **C.touchmark_error) C.touchmark_status {
		return C.touchmark_request_platform(r, viewText(platform), e)
	}}
}

// GivenEnvelopes are the only evidence; no referrers are asked for.
func GivenEnvelopes(envelopes ...[]byte) RequestOption {
	return RequestOption{func(r *C.touchmark_request, e **C.touchmark_error) C.touchmark_status {
		var a arguments
		defer a.done()
		array, count := a.views(envelopes)
		return C.touchmark_request_envelopes(r, array, count, e)
	}}
}

// Deep hashes all content of the artifact too.
func Deep() RequestOption {
	return RequestOption{func(r *C.touchmark_request, e **C.touchmark_error) C.touchmark_status {
		return C.touchmark_request_deep(r, e)
	}}
}

// NewRequest asks whether the policy accepts the artifact with this digest.
func NewRequest(policy *Policy, digest string, at time.Time, options ...RequestOption) (*Request, error) {
	object := policy.acquire()
	defer policy.release(object)
	var out *C.touchmark_request
	var e *C.touchmark_error
	if err := check(C.touchmark_request_new((*C.touchmark_policy)(object), viewText(digest), seconds(at), &out, &e), &e); err != nil {
		return nil, err
	}
	request := &Request{newHandle(unsafe.Pointer(out), func(p unsafe.Pointer) { C.touchmark_request_free((*C.touchmark_request)(p)) })}
	for _, option := range options {
		if err := check(option.apply(out, &e), &e); err != nil {
			return nil, errors.Join(err, request.Close())
		}
	}
	return request, nil
}

// NeedKind is a kind of need.
type NeedKind uint32

// The kinds of need.
const (
	NeedDone      NeedKind = 0
	NeedManifest  NeedKind = 1
	NeedReferrers NeedKind = 2
	NeedBlob      NeedKind = 3
	NeedHash      NeedKind = 4
)

// Need is what a search needs next.
type Need struct {
	Kind     NeedKind
	Digest   string // of what, as in "sha256:…"
	Limit    uint64 // the most bytes; of NeedHash, the size that it should have
	Entries  uint64 // of NeedReferrers, the most entries
	Thorough bool   // of NeedReferrers: what a quick list leaves out too
}

// Referrers is the list of what refers to a manifest, as an OCI image index.
type Referrers struct {
	Index    []byte
	Complete bool // nothing failed or was left out
	More     bool // a thorough list may have more
}

// Place is where an artifact lies: a registry, a folder. Content that is not there is an error of [fs.ErrNotExist], what must not be read one of
// [fs.ErrPermission], what is larger than the limit [ErrTooLarge]; everything else says that the place cannot be reached. What it gives need not
// be true: the search hashes it.
type Place interface {
	Manifest(ctx context.Context, digest string, limit uint64) ([]byte, error)
	Referrers(ctx context.Context, need Need) (Referrers, error)
	Blob(ctx context.Context, digest string, limit uint64) ([]byte, error)
	// Hash reads a blob of any size, and gives the digest and size that it has; see [DigestReader].
	Hash(ctx context.Context, digest string, size uint64) (string, uint64, error)
}

// Search decides a request step by step, without any I/O of its own.
type Search struct{ *handle }

// NewSearch begins to decide.
func NewSearch(request *Request) (*Search, error) {
	object := request.acquire()
	defer request.release(object)
	var out *C.touchmark_search
	var e *C.touchmark_error
	if err := check(C.touchmark_search_new((*C.touchmark_request)(object), &out, &e), &e); err != nil {
		return nil, err
	}
	return &Search{newHandle(unsafe.Pointer(out), func(p unsafe.Pointer) { C.touchmark_search_free((*C.touchmark_search)(p)) })}, nil
}

// use runs f, unless the search is being used.
func (s *Search) use(f func(*C.touchmark_search, **C.touchmark_error) C.touchmark_status) error {
	object, err := s.acquireAlone()
	if err != nil {
		return err
	}
	defer s.release(object)
	var e *C.touchmark_error
	return check(f((*C.touchmark_search)(object), &e), &e)
}

// Next is what is needed next; NeedDone at the end.
func (s *Search) Next() (need Need, err error) {
	err = s.use(func(search *C.touchmark_search, e **C.touchmark_error) C.touchmark_status {
		var out C.touchmark_need
		status := C.touchmark_search_next(search, &out, e)
		need = Need{NeedKind(out.kind), text(out.digest), uint64(out.limit), uint64(out.entries), out.thorough != 0}
		return status
	})
	return need, err
}

// ProvideBytes answers a need of a manifest or blob.
func (s *Search) ProvideBytes(content []byte) error {
	return s.use(func(search *C.touchmark_search, e **C.touchmark_error) C.touchmark_status {
		return C.touchmark_search_provide_bytes(search, view(content), e)
	})
}

// ProvideHash answers a need of a hash by what the content has.
func (s *Search) ProvideHash(digest string, size uint64) error {
	return s.use(func(search *C.touchmark_search, e **C.touchmark_error) C.touchmark_status {
		return C.touchmark_search_provide_hash(search, viewText(digest), C.uint64_t(size), e)
	})
}

// ProvideReferrers answers a need of referrers.
func (s *Search) ProvideReferrers(list Referrers) error {
	return s.use(func(search *C.touchmark_search, e **C.touchmark_error) C.touchmark_status {
		return C.touchmark_search_provide_referrers(search, view(list.Index), flag(list.Complete), flag(list.More), e)
	})
}

// ProvideFailure answers any need by why it cannot be met; see [Place].
func (s *Search) ProvideFailure(why error) error {
	return s.use(func(search *C.touchmark_search, e **C.touchmark_error) C.touchmark_status {
		kind, message := failure(why)
		return C.touchmark_search_provide_failure(search, kind, viewText(message), e)
	})
}

// Finish is the decision.
func (s *Search) Finish() (*VerifiedArtifact, error) {
	var out *C.touchmark_verified_artifact
	err := s.use(func(search *C.touchmark_search, e **C.touchmark_error) C.touchmark_status {
		return C.touchmark_search_finish(search, &out, e)
	})
	return newArtifact(err, out)
}

// Decide decides a request by what lies in a place. If the context ends, so does the search.
func Decide(ctx context.Context, request *Request, place Place) (*VerifiedArtifact, error) {
	search, err := NewSearch(request)
	if err != nil {
		return nil, err
	}
	defer search.Close()
	for {
		if err := ctx.Err(); err != nil {
			return nil, ended(err)
		}
		need, err := search.Next()
		if err != nil {
			return nil, err
		}
		if need.Kind == NeedDone {
			return search.Finish()
		}
		if err := search.answer(ctx, need, place); err != nil {
			return nil, err
		}
	}
}

func (s *Search) answer(ctx context.Context, need Need, place Place) (err error) {
	var content []byte
	switch need.Kind {
	case NeedManifest:
		content, err = place.Manifest(ctx, need.Digest, need.Limit)
	case NeedBlob:
		content, err = place.Blob(ctx, need.Digest, need.Limit)
	case NeedReferrers:
		list, err := place.Referrers(ctx, need)
		if err != nil {
			return s.ProvideFailure(err)
		}
		return s.ProvideReferrers(list)
	case NeedHash:
		digest, size, err := place.Hash(ctx, need.Digest, need.Limit)
		if err != nil {
			return s.ProvideFailure(err)
		}
		return s.ProvideHash(digest, size)
	}
	if err != nil {
		return s.ProvideFailure(err)
	}
	return s.ProvideBytes(content)
}

// ended is the error of what a context ended.
func ended(cause error) error {
	return &Error{Status: ErrUnknown, Code: "callback-failed", Message: "the context ended", Cause: cause}
}

func flag(b bool) C.uint32_t {
	if b {
		return 1
	}
	return 0
}

// failure is an error as the library's steps take it.
func failure(why error) (C.uint32_t, string) {
	switch {
	case isAbsent(why):
		return C.TOUCHMARK_FAILURE_NOT_FOUND, why.Error()
	case errors.Is(why, fs.ErrPermission):
		return C.TOUCHMARK_FAILURE_DENIED, why.Error()
	case errors.Is(why, ErrTooLarge):
		return C.TOUCHMARK_FAILURE_TOO_LARGE, why.Error()
	case errors.Is(why, ClassInput):
		return C.TOUCHMARK_FAILURE_MALFORMED, why.Error()
	}
	return C.TOUCHMARK_FAILURE_UNAVAILABLE, why.Error()
}
