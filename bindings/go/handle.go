package touchmark

/*
#include "glue.h"
*/
import "C"

import (
	"runtime"
	"sync"
	"unsafe"
)

// handle owns one object of the library. It is freed when it was closed and nobody uses it any more, so that Close is safe at any time.
type handle struct {
	mu     sync.Mutex
	object unsafe.Pointer
	free   func(unsafe.Pointer)
	users  int
	closed bool
}

func newHandle(object unsafe.Pointer, free func(unsafe.Pointer)) *handle {
	h := &handle{object: object, free: free}
	runtime.SetFinalizer(h, (*handle).Close)
	return h
}

// Close frees what the handle owns; what was made from it stays good. It may be called twice. The error is always nil.
func (h *handle) Close() error {
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	h.freeIfUnused()
	return nil
}

func (h *handle) freeIfUnused() {
	if h.closed && h.users == 0 && h.object != nil {
		h.free(h.object)
		h.object = nil
		runtime.SetFinalizer(h, nil)
	}
}

// acquire gives the object for use until release, or nil, which the library answers with NULL_POINTER.
func (h *handle) acquire() unsafe.Pointer {
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil
	}
	h.users++
	return h.object
}

// mustAcquire is acquire for what has no error to return. Nothing empty of a handle that was closed may be taken for what it held.
func (h *handle) mustAcquire() unsafe.Pointer {
	object := h.acquire()
	if object == nil {
		panic("touchmark: use of a handle that is closed or was never made")
	}
	return object
}

// driven is a handle by which whoever has acquired the object alone takes its steps. It frees nothing.
func driven(object unsafe.Pointer) *handle { return &handle{object: object} }

// acquireAlone gives the object if nobody uses it.
func (h *handle) acquireAlone() (unsafe.Pointer, error) {
	if h == nil {
		return nil, nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, nil
	}
	if h.users > 0 {
		return nil, &Error{Status: ErrWrongState, Code: "wrong-state", Message: "the handle is being used"}
	}
	h.users++
	return h.object, nil
}

// release ends the use of what acquire gave.
func (h *handle) release(object unsafe.Pointer) {
	if object == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.users--
	h.freeIfUnused()
}

// arguments are what one call gives to the library by pointer: handles that are in use and Go memory that is pinned, until done.
type arguments struct {
	pinner  runtime.Pinner
	used    []*handle
	objects []unsafe.Pointer
}

func (a *arguments) done() {
	a.pinner.Unpin()
	for i, h := range a.used {
		h.release(a.objects[i])
	}
}

func (a *arguments) use(h *handle) unsafe.Pointer {
	object := h.acquire()
	a.used, a.objects = append(a.used, h), append(a.objects, object)
	return object
}

// view of bytes that lie in an array, which cgo does not look after by itself.
func (a *arguments) view(b []byte) C.touchmark_bytes {
	if len(b) > 0 {
		a.pinner.Pin(unsafe.SliceData(b))
	}
	return view(b)
}

// views is an array of views. It is nil without elements.
func (a *arguments) views(all [][]byte) (*C.touchmark_bytes, C.size_t) {
	out := make([]C.touchmark_bytes, len(all))
	for i, b := range all {
		out[i] = a.view(b)
	}
	return unsafe.SliceData(out), C.size_t(len(out))
}

// pairs is an array of the map's members.
func (a *arguments) pairs(all map[string]string) (*C.touchmark_pair, C.size_t) {
	out := make([]C.touchmark_pair, 0, len(all))
	for key, value := range all {
		out = append(out, C.touchmark_pair{key: a.view([]byte(key)), value: a.view([]byte(value))})
	}
	return unsafe.SliceData(out), C.size_t(len(out))
}

// keys is an array of the keys' objects. They are no Go pointers, so nothing is pinned.
func (a *arguments) keys(all []*PublicKey) (**C.touchmark_public_key, C.size_t) {
	out := make([]*C.touchmark_public_key, len(all))
	for i, key := range all {
		if key != nil {
			out[i] = (*C.touchmark_public_key)(a.use(key.handle))
		}
	}
	return unsafe.SliceData(out), C.size_t(len(out))
}

// view is a view of Go bytes for the time of one call, as an argument of which it is passed.
func view(b []byte) C.touchmark_bytes {
	if len(b) == 0 {
		return C.touchmark_bytes{}
	}
	return C.touchmark_bytes{ptr: (*C.uint8_t)(unsafe.SliceData(b)), len: C.size_t(len(b))}
}

func viewText(s string) C.touchmark_bytes {
	if s == "" {
		return C.touchmark_bytes{}
	}
	return C.touchmark_bytes{ptr: (*C.uint8_t)(unsafe.StringData(s)), len: C.size_t(len(s))}
}

// copied is a copy of what a view shows, never nil.
func copied(v C.touchmark_bytes) []byte {
	return append([]byte{}, unsafe.Slice((*byte)(v.ptr), int(v.len))...)
}

func text(v C.touchmark_bytes) string {
	return string(unsafe.Slice((*byte)(v.ptr), int(v.len)))
}

// taken is the content of a buffer that a call gave, or its error.
func taken(status C.touchmark_status, out **C.touchmark_buffer, e **C.touchmark_error) ([]byte, error) {
	if err := check(status, e); err != nil {
		return nil, err
	}
	defer C.touchmark_buffer_free(*out)
	return copied(C.touchmark_buffer_bytes(*out)), nil
}
