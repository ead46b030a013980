package touchmark

/*
#include "glue.h"
*/
import "C"

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Status is the number of an outcome. It is an error, so that [errors.Is] compares with it. The numbers never change.
type Status uint32

// The statuses.
const (
	ErrInvalidArgument  Status = 100
	ErrNullPointer      Status = 101
	ErrInvalidLength    Status = 102
	ErrInvalidUTF8      Status = 103
	ErrInvalidTime      Status = 104
	ErrWrongState       Status = 105
	ErrInvalidKey       Status = 106
	ErrInvalidThreshold Status = 107
	ErrWrongPassphrase  Status = 108
	ErrInvalidName      Status = 109
	ErrInvalidDigest    Status = 110
	ErrInvalidReference Status = 111
	ErrUnsupported      Status = 112

	ErrMalformed         Status = 200
	ErrMalformedJSON     Status = 201
	ErrMalformedEnvelope Status = 202
	ErrMalformedKey      Status = 203
	ErrMalformedPolicy   Status = 204
	ErrTooLarge          Status = 205

	ErrNotVerified         Status = 300
	ErrUnsigned            Status = 301
	ErrBadSignature        Status = 302
	ErrThresholdNotReached Status = 303

	ErrUntrustedMetadata Status = 400
	ErrExpiredMetadata   Status = 401
	ErrRollback          Status = 402

	ErrSupplyChainNotVerified Status = 500
	ErrPolicyRejected         Status = 501

	ErrCallbackFailed Status = 600

	ErrUnknown  Status = 700
	ErrNotFound Status = 701
	ErrIO       Status = 702

	ErrInternal Status = 900
	ErrPanic    Status = 901
)

// String is the status's name in the C interface, as in "NOT_VERIFIED".
func (s Status) String() string { return text(C.touchmark_status_name(C.touchmark_status(s))) }

func (s Status) Error() string { return fmt.Sprintf("touchmark: %s (%d)", s.String(), uint32(s)) }

// Class is what a status is about: its hundreds. It is an error, so that [errors.Is] compares with it.
type Class uint32

// The classes.
const (
	ClassArgument   Class = 1 // the caller's argument
	ClassInput      Class = 2 // what was given to be read
	ClassSignatures Class = 3 // signatures: none, or none that suffices
	ClassMetadata   Class = 4 // trust metadata: untrusted, expired, older
	ClassPolicy     Class = 5 // in-toto layouts and policies
	ClassCallback   Class = 6 // the caller's callback
	ClassUnknown    Class = 7 // it could not be found out
	ClassInternal   Class = 9
)

func (c Class) Error() string { return fmt.Sprintf("touchmark: a status from %d00", uint32(c)) }

// Class is the class of the status.
func (s Status) Class() Class { return Class(s / 100) }

// Error is why the library refused or failed.
type Error struct {
	Status  Status
	Code    string          // stable, as in the command line's JSON: "tuf-expired"
	Message string          // what failed, where, and what to try
	JSON    json.RawMessage // the whole of it; "report" is why a decision refused
	Cause   error           // what a callback returned, or the end of its context
}

func (e *Error) Error() string {
	if e.Cause != nil && !strings.Contains(e.Message, e.Cause.Error()) {
		return fmt.Sprintf("touchmark: %s: %v", e.Message, e.Cause)
	}
	return "touchmark: " + e.Message
}

// Is compares with a [Status] or a [Class].
func (e *Error) Is(target error) bool {
	switch target := target.(type) {
	case Status:
		return e.Status == target
	case Class:
		return e.Status.Class() == target
	}
	return false
}

func (e *Error) Unwrap() error { return e.Cause }

// check makes an error of a status, and frees the library's.
func check(status C.touchmark_status, from **C.touchmark_error) error {
	if status == 0 {
		return nil
	}
	e := &Error{Status: Status(status)}
	if from != nil && *from != nil {
		defer C.touchmark_error_free(*from)
		e.Code, e.Message = text(C.touchmark_error_code(*from)), text(C.touchmark_error_message(*from))
		e.JSON = copied(C.touchmark_error_json(*from))
	} else {
		e.Message = e.Status.String()
	}
	return e
}
