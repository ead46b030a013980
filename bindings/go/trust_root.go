package touchmark

/*
#include "glue.h"
*/
import "C"

import (
	"context"
	"runtime/cgo"
	"time"
	"unsafe"
)

// Standing is what the metadata of a trust root says of a name, until its first document expires. The policy that the repository signs is no part of
// it; see [TrustRoot.Verify].
type Standing struct{ *handle }

func newStanding(err error, object *C.touchmark_standing) (*Standing, error) {
	if err != nil {
		return nil, err
	}
	return &Standing{newHandle(unsafe.Pointer(object), func(p unsafe.Pointer) { C.touchmark_standing_free((*C.touchmark_standing)(p)) })}, nil
}

// Expires is until when it is good.
func (s *Standing) Expires() time.Time {
	object := s.mustAcquire()
	defer s.release(object)
	return time.Unix(int64(C.touchmark_standing_expires((*C.touchmark_standing)(object))), 0).UTC()
}

// JSON is the whole of it.
func (s *Standing) JSON() ([]byte, error) {
	object := s.acquire()
	defer s.release(object)
	var out *C.touchmark_buffer
	var e *C.touchmark_error
	return taken(C.touchmark_standing_to_json((*C.touchmark_standing)(object), &out, &e), &out, &e)
}

// TrustRoot is a trust repository with a store in a folder.
type TrustRoot struct {
	*handle
	state *call
}

// OpenTrustRoot opens a trust repository whose metadata lie in a folder, by a root.json that is trusted. The store is a folder that this program
// keeps.
func OpenTrustRoot(root []byte, metadata, store string, at time.Time) (*TrustRoot, error) {
	var out *C.touchmark_trust_root
	var e *C.touchmark_error
	status := C.touchmark_trust_root_open(view(root), viewText(metadata), viewText(store), seconds(at), &out, &e)
	if err := check(status, &e); err != nil {
		return nil, err
	}
	return &TrustRoot{newTrustRoot(out, 0), &call{ctx: context.Background()}}, nil
}

// OpenTrustRootWith opens a trust repository whose files are fetched by the caller. Targets may be nil, and then are not to be had.
func OpenTrustRootWith(ctx context.Context, root []byte, metadata, targets Fetcher, store string, at time.Time) (*TrustRoot, error) {
	state := &call{ctx: ctx, fetchers: [3]Fetcher{metadata, targets}}
	number := cgo.NewHandle(state)
	var out *C.touchmark_trust_root
	var e *C.touchmark_error
	status := C.touchmark_go_trust_root(view(root), flag(targets != nil), C.uintptr_t(number), viewText(store), seconds(at), &out, &e)
	if out == nil {
		number.Delete()
	}
	opened := newTrustRoot(out, number)
	succeeded := false
	defer func() {
		if !succeeded { // also if a fetcher panicked: the store must not stay locked
			opened.Close()
		}
	}()
	if err := state.finish(check(status, &e)); err != nil {
		return nil, err
	}
	succeeded = true
	return &TrustRoot{opened, state}, nil
}

// newTrustRoot owns the object, and the number of the callbacks' state if it is not 0.
func newTrustRoot(object *C.touchmark_trust_root, number cgo.Handle) *handle {
	return newHandle(unsafe.Pointer(object), func(p unsafe.Pointer) {
		C.touchmark_trust_root_free((*C.touchmark_trust_root)(p))
		if number != 0 {
			number.Delete()
		}
	})
}

// use runs f with the callbacks under a context.
func (t *TrustRoot) use(ctx context.Context, f func(*C.touchmark_trust_root, **C.touchmark_error) C.touchmark_status) error {
	object, err := t.acquireAlone()
	if err != nil {
		return err
	}
	defer t.release(object)
	t.state.ctx, t.state.err, t.state.panicked = ctx, nil, nil
	var e *C.touchmark_error
	return t.state.finish(check(f((*C.touchmark_trust_root)(object), &e), &e))
}

// Verify decides whether the trust root accepts the artifact under a name, a NAME, NAME:VERSION or NAME:* for any version: by its entries, its seals or
// the signatures of those whom it lets sign for the name, and by the policy that the repository signs itself (the target "_touchmark/policy.json"),
// where it has one; [ErrPolicyRejected] if that has no rule for the name, or one that rejects it.
func (t *TrustRoot) Verify(ctx context.Context, source *Source, name string, at time.Time, options ...TrustRootOption) (*VerifiedArtifact, error) {
	asked := question{name: name}
	for _, option := range options {
		if err := option.askTrustRoot(&asked); err != nil {
			return nil, err
		}
	}
	about := source.acquire()
	defer source.release(about)
	var out *C.touchmark_verified_artifact
	err := t.use(ctx, func(root *C.touchmark_trust_root, e **C.touchmark_error) C.touchmark_status {
		return C.touchmark_trust_root_verify(root, (*C.touchmark_source)(about), viewText(asked.name), viewText(asked.platform), seconds(at), &out, e)
	})
	if err != nil && out != nil {
		C.touchmark_verified_artifact_free(out)
	}
	return newArtifact(err, out)
}

// Standing is what the metadata says of a NAME or NAME:VERSION, and no more than that: [TrustRoot.Verify] asks the policy that the repository signs, too.
func (t *TrustRoot) Standing(ctx context.Context, name string) (*Standing, error) {
	var out *C.touchmark_standing
	err := t.use(ctx, func(root *C.touchmark_trust_root, e **C.touchmark_error) C.touchmark_status {
		return C.touchmark_trust_root_standing(root, viewText(name), &out, e)
	})
	if err != nil && out != nil {
		C.touchmark_standing_free(out)
	}
	return newStanding(err, out)
}

// Target is a target's content, checked; [ErrNotFound] if no role lists it.
func (t *TrustRoot) Target(ctx context.Context, path string) ([]byte, error) {
	var out *C.touchmark_buffer
	err := t.use(ctx, func(root *C.touchmark_trust_root, e **C.touchmark_error) C.touchmark_status {
		return C.touchmark_trust_root_target(root, viewText(path), &out, e)
	})
	if err != nil {
		C.touchmark_buffer_free(out)
		return nil, err
	}
	return taken(0, &out, nil)
}

// Notes are what there is to say about the last update, as JSON: that it was not refreshed, that it has no history.
func (t *TrustRoot) Notes() ([]byte, error) {
	var out *C.touchmark_buffer
	err := t.use(context.Background(), func(root *C.touchmark_trust_root, e **C.touchmark_error) C.touchmark_status {
		return C.touchmark_trust_root_notes_json(root, &out, e)
	})
	if err != nil {
		return nil, err
	}
	return taken(0, &out, nil)
}
