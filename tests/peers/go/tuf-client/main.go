// tuf-client is a TUF client by go-tuf. It takes and gives what ../../python/tuf_client.py does: requests on standard input, one JSON
// document a line, each answered by one line; or one request as its argument.
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/theupdateframework/go-tuf/v2/metadata/config"
	"github.com/theupdateframework/go-tuf/v2/metadata/updater"
)

type request struct {
	Store, Root, Metadata, Targets, Into string
	Names                                []string
	Limit                                int64
}

type found struct {
	Error  string            `json:"error,omitempty"`
	Length int64             `json:"length"`
	Hashes map[string]string `json:"hashes"`
	SHA256 string            `json:"sha256,omitempty"`
}

type answer struct {
	Error *string           `json:"error"`
	Roles map[string]int64  `json:"roles"`
	Found map[string]*found `json:"found"`
}

// refreshed is an updater that has refreshed what the store trusts. The updater writes the root that it is given into the store, so that it
// is given the root of the request only once.
func refreshed(asked request) (*updater.Updater, error) {
	root, err := os.ReadFile(filepath.Join(asked.Store, "root.json"))
	if os.IsNotExist(err) {
		root, err = os.ReadFile(asked.Root)
	}
	if err != nil {
		return nil, err
	}
	settings, err := config.New(asked.Metadata, root)
	if err != nil {
		return nil, err
	}
	settings.LocalMetadataDir, settings.LocalTargetsDir, settings.RemoteTargetsURL = asked.Store, asked.Into, asked.Targets
	if asked.Into == "" {
		settings.LocalTargetsDir = asked.Store
	}
	if asked.Limit > 0 {
		settings.SnapshotMaxLength, settings.TargetsMaxLength = asked.Limit, asked.Limit
	}
	client, err := updater.New(settings)
	if err != nil {
		return nil, err
	}
	return client, client.Refresh()
}

// lookUp gives nil for a target that is not there, which go-tuf says by an error of this text alone.
func lookUp(client *updater.Updater, name, into string) *found {
	target, err := client.GetTargetInfo(name)
	if err != nil && err.Error() == fmt.Sprintf("target %s not found", name) {
		return nil
	}
	if err != nil {
		return &found{Error: err.Error()}
	}
	what := &found{Length: target.Length, Hashes: map[string]string{}}
	for algorithm, hash := range target.Hashes {
		what.Hashes[algorithm] = hex.EncodeToString(hash)
	}
	if into != "" {
		path, content, err := client.FindCachedTarget(target, "")
		if err == nil && path == "" {
			_, content, err = client.DownloadTarget(target, "", "")
		}
		if err != nil {
			return &found{Error: err.Error()}
		}
		hash := sha256.Sum256(content)
		what.SHA256 = hex.EncodeToString(hash[:])
	}
	return what
}

// trusted is the version of every role in the store.
func trusted(store string) map[string]int64 {
	versions := map[string]int64{}
	paths, _ := filepath.Glob(filepath.Join(store, "*.json"))
	for _, path := range paths {
		var document struct{ Signed struct{ Version int64 } }
		text, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(text, &document)
		}
		name, unescaped := url.PathUnescape(strings.TrimSuffix(filepath.Base(path), ".json"))
		if err != nil || unescaped != nil {
			panic(fmt.Sprintf("%s: %v %v", path, err, unescaped))
		}
		versions[name] = document.Signed.Version
	}
	return versions
}

func answered(line string) answer {
	var asked request
	if err := json.Unmarshal([]byte(line), &asked); err != nil {
		panic(err)
	}
	said := answer{Found: map[string]*found{}}
	client, err := refreshed(asked)
	if err != nil {
		text := err.Error()
		said.Error = &text
	} else {
		for _, name := range asked.Names {
			said.Found[name] = lookUp(client, name, asked.Into)
		}
	}
	said.Roles = trusted(asked.Store)
	return said
}

func main() {
	out := json.NewEncoder(os.Stdout)
	if len(os.Args) > 1 {
		said := answered(os.Args[1])
		_ = out.Encode(said)
		failed := said.Error != nil
		for _, what := range said.Found {
			failed = failed || what == nil || what.Error != ""
		}
		if failed {
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
		if err := out.Encode(answered(line)); err != nil {
			panic(err)
		}
	}
}
