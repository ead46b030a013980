// Bench prints what one verification costs, in the processor's time of the thread that asks for it: an envelope is read and verified by a key that is
// kept. Without files it makes both.
//
//	go run ./bench [-rounds N] [ENVELOPE KEY]
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	touchmark "github.com/touchmark/touchmark/bindings/go"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	rounds := flags.Int("rounds", 5000, "how many are measured")
	if err := flags.Parse(args); err != nil {
		return err
	}
	document, pem, err := inputs(flags.Args())
	if err != nil {
		return err
	}
	key, err := touchmark.ReadPublicKey(pem)
	if err != nil {
		return err
	}
	defer key.Close()
	for i := 0; i < *rounds; i++ {
		if err := verify(document, key); err != nil {
			return err
		}
	}
	begin, err := threadTime()
	if err != nil {
		return err
	}
	for i := 0; i < *rounds; i++ {
		if err := verify(document, key); err != nil {
			return err
		}
	}
	end, err := threadTime()
	if err != nil {
		return err
	}
	taken := (end - begin).Nanoseconds() / int64(*rounds)
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"language": "go", "ns": taken})
}

// The thread of main, so that it is one thread whose time is taken.
func init() { runtime.LockOSThread() }

// threadTime is what this thread has taken so far. Go's runtime looks at every call into C from another thread, which a process's time would count.
func threadTime() (time.Duration, error) {
	const thread = 1 // RUSAGE_THREAD of Linux
	var usage syscall.Rusage
	if err := syscall.Getrusage(thread, &usage); err != nil {
		return 0, err
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), nil
}

// inputs are an envelope and the PEM of a key.
func inputs(files []string) (document, pem []byte, err error) {
	if len(files) == 2 {
		if document, err = os.ReadFile(files[0]); err == nil {
			pem, err = os.ReadFile(files[1])
		}
		return document, pem, err
	}
	private, err := touchmark.GenerateKey(touchmark.Ed25519)
	if err != nil {
		return nil, nil, err
	}
	public, err := private.Public()
	if err != nil {
		return nil, nil, err
	}
	if pem, err = public.PEM(); err != nil {
		return nil, nil, err
	}
	envelope, err := touchmark.SignEnvelope(context.Background(), "text/plain", make([]byte, 500), touchmark.NewSigner(private))
	if err != nil {
		return nil, nil, err
	}
	document, err = envelope.JSON()
	return document, pem, err
}

func verify(document []byte, key *touchmark.PublicKey) error {
	envelope, err := touchmark.ParseEnvelope(document)
	if err != nil {
		return err
	}
	defer envelope.Close()
	verified, err := envelope.Verify(1, key)
	if err != nil {
		return err
	}
	return verified.Close()
}
