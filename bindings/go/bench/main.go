// Bench prints what one verification costs: an envelope is read and verified by a key that is kept.
//
//	go run ./bench ENVELOPE KEY [ROUNDS]
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
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
	if len(args) < 2 {
		return fmt.Errorf("usage: bench ENVELOPE KEY [ROUNDS]")
	}
	rounds := 5000
	if len(args) > 2 {
		var err error
		if rounds, err = strconv.Atoi(args[2]); err != nil || rounds < 1 {
			return fmt.Errorf("%s is no number of rounds", args[2])
		}
	}
	document, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	pem, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	key, err := touchmark.ReadPublicKey(pem)
	if err != nil {
		return err
	}
	defer key.Close()
	for i := 0; i < rounds/5; i++ {
		if err := verify(document, key); err != nil {
			return err
		}
	}
	begin := time.Now()
	for i := 0; i < rounds; i++ {
		if err := verify(document, key); err != nil {
			return err
		}
	}
	taken := time.Since(begin).Nanoseconds() / int64(rounds)
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"language": "go", "ns": taken})
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
