// in-toto-peer is in-toto-golang as a library. It takes and gives what ../../python/in_toto_peer.py does: requests on standard input, one
// JSON document a line, each answered by one line; or one request as its argument.
//
//   - {"op": "make", "folder": FOLDER, "form": "dsse" | "legacy" | "dsse-by-library", "expires": TIME?, "package_by": "tester"?,
//     "between": TEXT?}: makes a supply chain of three steps, the first of them a sublayout, and its final product there; gives the owner's
//     key. TEXT is put into a source between the first step and the second.
//   - {"op": "verify", "layout": FILE, "folder": FOLDER, "keys": {KEYID: KEY}, "product": FOLDER?}: verifies a layout of the folder with the
//     links there, in the folder of the final product.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	intoto "github.com/in-toto/in-toto-golang/in_toto"
)

type request struct {
	Op, Folder, Form, Layout, Product, Expires, Between string
	PackageBy                                           string `json:"package_by"`
	Keys                                                map[string]intoto.Key
}

type answer struct {
	Verified bool                  `json:"verified"`
	Why      string                `json:"why,omitempty"`
	Keys     map[string]intoto.Key `json:"keys,omitempty"`
}

func verify(asked request) (err error) {
	// A rule that is an empty list, for one, is a panic.
	defer func() {
		if said := recover(); said != nil {
			err = fmt.Errorf("panic: %v", said)
		}
	}()
	layout, err := intoto.LoadMetadata(filepath.Join(asked.Folder, asked.Layout))
	if err != nil {
		return err
	}
	if asked.Product != "" {
		// Inspections are run where it stands, and look at what is there.
		if err := os.Chdir(asked.Product); err != nil {
			panic(err)
		}
	}
	_, err = intoto.InTotoVerify(layout, asked.Keys, asked.Folder, "", nil, nil, false)
	return err
}

func answered(line string) (answer, error) {
	var asked request
	if err := json.Unmarshal([]byte(line), &asked); err != nil {
		return answer{}, err
	}
	switch asked.Op {
	case "make":
		owner, err := makeChain(asked)
		return answer{Keys: map[string]intoto.Key{owner.KeyID: owner}}, err
	case "verify":
		if err := verify(asked); err != nil {
			return answer{Why: err.Error()}, nil
		}
		return answer{Verified: true}, nil
	}
	return answer{}, fmt.Errorf("no operation %q", asked.Op)
}

func main() {
	// The library prints there what it has to say of rules and commands.
	out := json.NewEncoder(os.Stdout)
	var err error
	if os.Stdout, err = os.OpenFile(os.DevNull, os.O_WRONLY, 0); err != nil {
		panic(err)
	}
	if len(os.Args) > 1 {
		said, err := answered(os.Args[1])
		if err != nil {
			panic(err)
		}
		_ = out.Encode(said)
		if !said.Verified {
			os.Exit(1)
		}
		return
	}
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		said, err := answered(line)
		if err != nil {
			panic(err)
		}
		if err := out.Encode(said); err != nil {
			panic(err)
		}
	}
}
