package touchmark

/*
#include "glue.h"
*/
import "C"

import (
	"context"
	"io/fs"
	"runtime/cgo"
	"time"
	"unsafe"
)

// Fetcher gets files of a repository by their path below its URL. What is not there is an error of [fs.ErrNotExist]; every other error, and every
// [net.OpError], says that the repository cannot be reached. A file that is longer than limit need not be read further.
type Fetcher interface {
	Fetch(ctx context.Context, path string, limit uint64) ([]byte, error)
}

// FetchFunc is a [Fetcher].
type FetchFunc func(ctx context.Context, path string, limit uint64) ([]byte, error)

// Fetch calls the function.
func (f FetchFunc) Fetch(ctx context.Context, path string, limit uint64) ([]byte, error) {
	return f(ctx, path, limit)
}

// FetchFS fetches from a file system, such as [os.DirFS].
func FetchFS(from fs.FS) Fetcher {
	return FetchFunc(func(_ context.Context, path string, _ uint64) ([]byte, error) { return fs.ReadFile(from, path) })
}

// Store keeps what a client trusts, from one update to the next.
type Store interface {
	// Load gives a file, or an error of [fs.ErrNotExist].
	Load(ctx context.Context, name string) ([]byte, error)
	Store(ctx context.Context, name string, content []byte) error
	Remove(ctx context.Context, name string) error
}

// MemoryStore is a [Store] in memory.
type MemoryStore map[string][]byte

// Load gives a file.
func (s MemoryStore) Load(_ context.Context, name string) ([]byte, error) {
	if content, ok := s[name]; ok {
		return content, nil
	}
	return nil, fs.ErrNotExist
}

// Store keeps a file.
func (s MemoryStore) Store(_ context.Context, name string, content []byte) error {
	s[name] = content
	return nil
}

// Remove forgets a file.
func (s MemoryStore) Remove(_ context.Context, name string) error {
	delete(s, name)
	return nil
}

// TUFStepKind is a kind of step.
type TUFStepKind uint32

// The kinds of step.
const (
	TUFDone   TUFStepKind = 0
	TUFLoad   TUFStepKind = 1 // a file of the store, or its absence
	TUFFetch  TUFStepKind = 2 // a file of the repository, or its absence
	TUFStore  TUFStepKind = 3 // Content is to be stored
	TUFRemove TUFStepKind = 4
)

// TUFStep is what a client needs next.
type TUFStep struct {
	Kind    TUFStepKind
	Name    string
	Content []byte
	Limit   uint64
}

// TUFClient updates trust metadata as The Update Framework says, and looks targets up, without any I/O of its own.
type TUFClient struct{ *handle }

// NewTUFClient begins an update at a time, from a store that holds at least a trusted root.json. Offline asks for nothing but the store.
func NewTUFClient(at time.Time, offline bool) (*TUFClient, error) {
	var out *C.touchmark_tuf_client
	var e *C.touchmark_error
	if err := check(C.touchmark_tuf_client_new(flag(offline), seconds(at), &out, &e), &e); err != nil {
		return nil, err
	}
	return &TUFClient{newHandle(unsafe.Pointer(out), func(p unsafe.Pointer) { C.touchmark_tuf_client_free((*C.touchmark_tuf_client)(p)) })}, nil
}

func (c *TUFClient) use(f func(*C.touchmark_tuf_client, **C.touchmark_error) C.touchmark_status) error {
	object, err := c.acquireAlone()
	if err != nil {
		return err
	}
	defer c.release(object)
	var e *C.touchmark_error
	return check(f((*C.touchmark_tuf_client)(object), &e), &e)
}

// Next is the next step; TUFDone at the end.
func (c *TUFClient) Next() (step TUFStep, err error) {
	err = c.use(func(client *C.touchmark_tuf_client, e **C.touchmark_error) C.touchmark_status {
		var out C.touchmark_tuf_step
		status := C.touchmark_tuf_client_next(client, &out, e)
		step = TUFStep{TUFStepKind(out.kind), text(out.name), copied(out.bytes), uint64(out.limit)}
		return status
	})
	return step, err
}

// ProvideBytes answers TUFLoad or TUFFetch.
func (c *TUFClient) ProvideBytes(content []byte) error {
	return c.use(func(client *C.touchmark_tuf_client, e **C.touchmark_error) C.touchmark_status {
		return C.touchmark_tuf_client_provide_bytes(client, view(content), e)
	})
}

// ProvideAbsent answers TUFLoad or TUFFetch: there is none.
func (c *TUFClient) ProvideAbsent() error {
	return c.use(func(client *C.touchmark_tuf_client, e **C.touchmark_error) C.touchmark_status {
		return C.touchmark_tuf_client_provide_absent(client, e)
	})
}

// ProvideDone answers TUFStore or TUFRemove.
func (c *TUFClient) ProvideDone() error {
	return c.use(func(client *C.touchmark_tuf_client, e **C.touchmark_error) C.touchmark_status {
		return C.touchmark_tuf_client_provide_done(client, e)
	})
}

// ProvideFailure answers any step by why it failed; see [Place].
func (c *TUFClient) ProvideFailure(why error) error {
	return c.use(func(client *C.touchmark_tuf_client, e **C.touchmark_error) C.touchmark_status {
		kind, message := failure(why)
		return C.touchmark_tuf_client_provide_failure(client, kind, viewText(message), e)
	})
}

// Drive does all steps up to TUFDone. Until then every other use is [ErrWrongState]. If the context ends, so does the update, with that error in
// the chain; what was stored is stored.
func (c *TUFClient) Drive(ctx context.Context, repository Fetcher, store Store) error {
	state := &call{ctx: ctx, store: store}
	state.fetchers[0], state.fetchers[2] = repository, FetchFunc(func(ctx context.Context, name string, _ uint64) ([]byte, error) {
		return store.Load(ctx, name)
	})
	number := cgo.NewHandle(state)
	defer number.Delete()
	return state.finish(c.use(func(client *C.touchmark_tuf_client, e **C.touchmark_error) C.touchmark_status {
		return C.touchmark_go_drive(client, C.uintptr_t(number), e)
	}))
}

// LookUp begins to look a target up; drive the client afterwards.
func (c *TUFClient) LookUp(path string) error {
	return c.use(func(client *C.touchmark_tuf_client, e **C.touchmark_error) C.touchmark_status {
		return C.touchmark_tuf_client_look_up(client, viewText(path), e)
	})
}

// Found is the target that was looked up; [ErrNotFound] if no role lists it.
func (c *TUFClient) Found() (*TUFTarget, error) {
	var out *C.touchmark_tuf_target
	err := c.use(func(client *C.touchmark_tuf_client, e **C.touchmark_error) C.touchmark_status {
		return C.touchmark_tuf_client_found(client, &out, e)
	})
	if err != nil {
		return nil, err
	}
	return &TUFTarget{newHandle(unsafe.Pointer(out), func(p unsafe.Pointer) { C.touchmark_tuf_target_free((*C.touchmark_tuf_target)(p)) })}, nil
}

// Standing is what the metadata says of the name that was looked up.
func (c *TUFClient) Standing(name string) (*Standing, error) {
	var out *C.touchmark_standing
	err := c.use(func(client *C.touchmark_tuf_client, e **C.touchmark_error) C.touchmark_status {
		return C.touchmark_tuf_client_standing(client, viewText(name), &out, e)
	})
	return newStanding(err, out)
}

// State is the versions and expiries that are trusted so far, as JSON.
func (c *TUFClient) State() ([]byte, error) {
	var out *C.touchmark_buffer
	err := c.use(func(client *C.touchmark_tuf_client, e **C.touchmark_error) C.touchmark_status {
		return C.touchmark_tuf_client_state_json(client, &out, e)
	})
	if err != nil {
		return nil, err
	}
	return taken(0, &out, nil)
}

// TUFTarget is a target that a role lists.
type TUFTarget struct{ *handle }

func (t *TUFTarget) use(f func(*C.touchmark_tuf_target)) {
	object := t.acquire()
	defer t.release(object)
	f((*C.touchmark_tuf_target)(object))
}

// Length is the target's length in bytes.
func (t *TUFTarget) Length() uint64 {
	object := t.mustAcquire()
	defer t.release(object)
	return uint64(C.touchmark_tuf_target_length((*C.touchmark_tuf_target)(object)))
}

// Role is the role that lists it.
func (t *TUFTarget) Role() string {
	object := t.mustAcquire()
	defer t.release(object)
	return text(C.touchmark_tuf_target_role((*C.touchmark_tuf_target)(object)))
}

// FetchPath is where it is below the targets' URL.
func (t *TUFTarget) FetchPath() (path string, err error) {
	t.use(func(target *C.touchmark_tuf_target) {
		var out *C.touchmark_buffer
		var e *C.touchmark_error
		var content []byte
		content, err = taken(C.touchmark_tuf_target_fetch_path(target, &out, &e), &out, &e)
		path = string(content)
	})
	return path, err
}

// Check says whether content is the target; [ErrNotVerified] if not.
func (t *TUFTarget) Check(content []byte) (err error) {
	t.use(func(target *C.touchmark_tuf_target) {
		var e *C.touchmark_error
		err = check(C.touchmark_tuf_target_check(target, view(content), &e), &e)
	})
	return err
}

// JSON is what the role says of it.
func (t *TUFTarget) JSON() (document []byte, err error) {
	t.use(func(target *C.touchmark_tuf_target) {
		var out *C.touchmark_buffer
		var e *C.touchmark_error
		document, err = taken(C.touchmark_tuf_target_to_json(target, &out, &e), &out, &e)
	})
	return document, err
}
