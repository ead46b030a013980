package touchmark

/*
#include "glue.h"
*/
import "C"

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"runtime/cgo"
)

// call is one call into the library during which the library calls back. What a callback returned or panicked with is kept here, since neither
// crosses C; finish brings it to the caller.
type call struct {
	ctx      context.Context
	sign     func(ctx context.Context, message []byte) ([]byte, error)
	fetchers [3]Fetcher // by the number that glue.c gives: metadata, targets, the store
	store    Store
	err      error
	panicked any
}

// run runs a callback, unless the context has ended.
func (c *call) run(f func() error) (status Status, message string) {
	defer func() {
		if panicked := recover(); panicked != nil {
			c.panicked = panicked
			status, message = ErrCallbackFailed, "the callback panicked"
		}
	}()
	if c.panicked != nil {
		return ErrCallbackFailed, "a callback has panicked"
	}
	err := c.ctx.Err()
	if err == nil {
		err = f()
	}
	if err == nil {
		return 0, ""
	}
	c.err = err
	return ErrCallbackFailed, err.Error()
}

// finish adds to the library's error what a callback said. An ended context fails what the library would have gone on without.
func (c *call) finish(err error) error {
	if c.panicked != nil {
		panic(c.panicked)
	}
	var e *Error
	if errors.As(err, &e) && e.Cause == nil {
		e.Cause = c.err
	}
	if ended := c.ctx.Err(); ended != nil && c.err != nil && !errors.Is(err, ended) {
		return &Error{Status: ErrCallbackFailed, Code: "callback-failed", Message: "the context ended", Cause: ended}
	}
	return err
}

// isAbsent says whether an error means that something surely is not there. A socket that is not there, which is an error of fs.ErrNotExist too,
// means that nobody was asked.
func isAbsent(err error) bool {
	return (errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrNotFound)) && !errors.As(err, new(*net.OpError))
}

// give runs a callback that gives bytes, and hands them or the failure to the library. Bytes past the limit are the sink's to refuse.
func (c *call) give(sink *C.touchmark_sink, f func() ([]byte, error)) C.touchmark_status {
	var given C.touchmark_status
	status, message := c.run(func() error {
		content, err := f()
		switch {
		case err == nil:
			given = C.touchmark_sink_append(sink, view(content))
		case errors.As(err, new(absence)):
			given = C.touchmark_status(ErrNotFound)
		default:
			return err
		}
		return nil
	})
	if status != 0 {
		C.touchmark_sink_fail(sink, viewText(message))
		return C.touchmark_status(status)
	}
	return given
}

// absence is a file that surely is not there. Of files alone this is an answer, and no failure.
type absence struct{ error }

func fileOf(content []byte, err error) ([]byte, error) {
	if isAbsent(err) {
		err = absence{err}
	}
	return content, err
}

//export touchmarkGoSign
func touchmarkGoSign(number C.uintptr_t, message C.touchmark_bytes, sink *C.touchmark_sink) C.touchmark_status {
	c := cgo.Handle(number).Value().(*call)
	return c.give(sink, func() ([]byte, error) { return c.sign(c.ctx, copied(message)) })
}

//export touchmarkGoFetch
func touchmarkGoFetch(number C.uintptr_t, which C.uint32_t, path C.touchmark_bytes, limit C.uint64_t, sink *C.touchmark_sink) C.touchmark_status {
	c := cgo.Handle(number).Value().(*call)
	return c.give(sink, func() ([]byte, error) { return fileOf(c.fetchers[which].Fetch(c.ctx, text(path), uint64(limit))) })
}

//export touchmarkGoStore
func touchmarkGoStore(number C.uintptr_t, file, content C.touchmark_bytes) C.touchmark_status {
	c := cgo.Handle(number).Value().(*call)
	status, _ := c.run(func() error { return c.store.Store(c.ctx, text(file), copied(content)) })
	return C.touchmark_status(status)
}

//export touchmarkGoRemove
func touchmarkGoRemove(number C.uintptr_t, file C.touchmark_bytes) C.touchmark_status {
	c := cgo.Handle(number).Value().(*call)
	status, _ := c.run(func() error { return c.store.Remove(c.ctx, text(file)) })
	return C.touchmark_status(status)
}
