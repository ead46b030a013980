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

// SupplyChainNeedKind is a kind of need.
type SupplyChainNeedKind uint32

// The kinds of need.
const (
	SupplyChainDone       SupplyChainNeedKind = 0
	SupplyChainFile       SupplyChainNeedKind = 1 // Name is a path below the folder of links
	SupplyChainNames      SupplyChainNeedKind = 2 // the names in the folder Name that may be links of Step
	SupplyChainInspection SupplyChainNeedKind = 3 // the link of the inspection Name, of the layout in the folder Step
)

// SupplyChainNeed is what the verification of a supply chain needs next.
type SupplyChainNeed struct {
	Kind  SupplyChainNeedKind
	Name  string
	Step  string
	Limit uint64
}

// SupplyChain verifies links against an in-toto layout, step by step, without any I/O of its own.
type SupplyChain struct{ *handle }

// NewSupplyChain begins. Every key must have signed the layout.
func NewSupplyChain(layout []byte, keys []*PublicKey, parameters map[string]string, at time.Time) (*SupplyChain, error) {
	var a arguments
	defer a.done()
	array, count := a.keys(keys)
	pairs, pairCount := a.pairs(parameters)
	var out *C.touchmark_supply_chain
	var e *C.touchmark_error
	if err := check(C.touchmark_supply_chain_new(view(layout), array, count, pairs, pairCount, seconds(at), &out, &e), &e); err != nil {
		return nil, err
	}
	return &SupplyChain{newHandle(unsafe.Pointer(out), func(p unsafe.Pointer) { C.touchmark_supply_chain_free((*C.touchmark_supply_chain)(p)) })}, nil
}

func (s *SupplyChain) use(f func(*C.touchmark_supply_chain, **C.touchmark_error) C.touchmark_status) error {
	object, err := s.acquireAlone()
	if err != nil {
		return err
	}
	defer s.release(object)
	var e *C.touchmark_error
	return check(f((*C.touchmark_supply_chain)(object), &e), &e)
}

// Next is what is needed next; SupplyChainDone at the end.
func (s *SupplyChain) Next() (need SupplyChainNeed, err error) {
	err = s.use(func(chain *C.touchmark_supply_chain, e **C.touchmark_error) C.touchmark_status {
		var out C.touchmark_supply_chain_need
		status := C.touchmark_supply_chain_next(chain, &out, e)
		need = SupplyChainNeed{SupplyChainNeedKind(out.kind), text(out.name), text(out.step), uint64(out.limit)}
		return status
	})
	return need, err
}

// ProvideBytes answers SupplyChainFile or SupplyChainInspection.
func (s *SupplyChain) ProvideBytes(content []byte) error {
	return s.use(func(chain *C.touchmark_supply_chain, e **C.touchmark_error) C.touchmark_status {
		return C.touchmark_supply_chain_provide_bytes(chain, view(content), e)
	})
}

// ProvideAbsent answers SupplyChainFile: there is none; or SupplyChainInspection: it is not run.
func (s *SupplyChain) ProvideAbsent() error {
	return s.use(func(chain *C.touchmark_supply_chain, e **C.touchmark_error) C.touchmark_status {
		return C.touchmark_supply_chain_provide_absent(chain, e)
	})
}

// ProvideNames answers SupplyChainNames. It is not complete if names were left out.
func (s *SupplyChain) ProvideNames(names []string, complete bool) error {
	return s.use(func(chain *C.touchmark_supply_chain, e **C.touchmark_error) C.touchmark_status {
		var a arguments
		defer a.done()
		all := make([][]byte, len(names))
		for i, name := range names {
			all[i] = []byte(name)
		}
		array, count := a.views(all)
		return C.touchmark_supply_chain_provide_names(chain, array, count, flag(complete), e)
	})
}

// ProvideFailure answers any need by why it cannot be met; see [Place].
func (s *SupplyChain) ProvideFailure(why error) error {
	return s.use(func(chain *C.touchmark_supply_chain, e **C.touchmark_error) C.touchmark_status {
		kind, message := failure(why)
		return C.touchmark_supply_chain_provide_failure(chain, kind, viewText(message), e)
	})
}

// Finish is the decision. The error's JSON has the whole report.
func (s *SupplyChain) Finish() (*VerifiedSupplyChain, error) {
	var out *C.touchmark_verified_supply_chain
	err := s.use(func(chain *C.touchmark_supply_chain, e **C.touchmark_error) C.touchmark_status {
		return C.touchmark_supply_chain_finish(chain, &out, e)
	})
	return newVerifiedSupplyChain(err, out)
}

// Links is where links lie.
type Links interface {
	// File gives a file by its path below the folder of links, or an error of [fs.ErrNotExist].
	File(ctx context.Context, path string, limit uint64) ([]byte, error)
	// Names lists the files STEP.KEYID.link of a folder of links, "" being the first one.
	Names(ctx context.Context, folder, step string) ([]string, error)
	// Inspection gives the link of an inspection that the caller ran, or an error of [fs.ErrNotExist].
	Inspection(ctx context.Context, name, folder string) ([]byte, error)
}

// Drive meets all needs, and finishes. Until then every other use is [ErrWrongState]. If the context ends, so does the verification.
func (s *SupplyChain) Drive(ctx context.Context, links Links) (*VerifiedSupplyChain, error) {
	object, err := s.acquireAlone()
	if err != nil {
		return nil, err
	}
	defer s.release(object)
	return (&SupplyChain{driven(object)}).drive(ctx, links)
}

func (s *SupplyChain) drive(ctx context.Context, links Links) (*VerifiedSupplyChain, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, ended(err)
		}
		need, err := s.Next()
		if err != nil {
			return nil, err
		}
		if need.Kind == SupplyChainDone {
			return s.Finish()
		}
		if err := s.answer(ctx, need, links); err != nil {
			return nil, err
		}
	}
}

func (s *SupplyChain) answer(ctx context.Context, need SupplyChainNeed, links Links) (err error) {
	var content []byte
	switch need.Kind {
	case SupplyChainFile:
		content, err = links.File(ctx, need.Name, need.Limit)
	case SupplyChainInspection:
		content, err = links.Inspection(ctx, need.Name, need.Step)
	case SupplyChainNames:
		names, err := links.Names(ctx, need.Name, need.Step)
		if err != nil {
			return s.ProvideFailure(err)
		}
		return s.ProvideNames(names, true)
	}
	switch {
	case err == nil:
		return s.ProvideBytes(content)
	case isAbsent(err):
		return s.ProvideAbsent()
	}
	return s.ProvideFailure(err)
}

// VerifySupplyChainFolder verifies the links in a folder against a layout. It runs no inspection.
func VerifySupplyChainFolder(layout []byte, keys []*PublicKey, links string, parameters map[string]string, at time.Time) (*VerifiedSupplyChain, error) {
	var a arguments
	defer a.done()
	array, count := a.keys(keys)
	pairs, pairCount := a.pairs(parameters)
	var out *C.touchmark_verified_supply_chain
	var e *C.touchmark_error
	status := C.touchmark_supply_chain_verify_folder(view(layout), array, count, viewText(links), pairs, pairCount, seconds(at), &out, &e)
	return newVerifiedSupplyChain(check(status, &e), out)
}

// VerifiedSupplyChain is a supply chain that was as its layout says.
type VerifiedSupplyChain struct{ *handle }

func newVerifiedSupplyChain(err error, object *C.touchmark_verified_supply_chain) (*VerifiedSupplyChain, error) {
	if err != nil {
		return nil, err
	}
	return &VerifiedSupplyChain{newHandle(unsafe.Pointer(object), func(p unsafe.Pointer) {
		C.touchmark_verified_supply_chain_free((*C.touchmark_verified_supply_chain)(p))
	})}, nil
}

// JSON is the whole report, as the command line prints it.
func (v *VerifiedSupplyChain) JSON() ([]byte, error) {
	object := v.acquire()
	defer v.release(object)
	var out *C.touchmark_buffer
	var e *C.touchmark_error
	return taken(C.touchmark_verified_supply_chain_to_json((*C.touchmark_verified_supply_chain)(object), &out, &e), &out, &e)
}
