package touchmark_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	touchmark "github.com/touchmark/touchmark/bindings/go"
)

func at(seconds int64) time.Time { return time.Unix(seconds, 0) }

// wants are the options of a policy.
func wants(name *string, annotations map[string]string, predicates []string) (options []touchmark.PolicyOption) {
	if name != nil {
		options = append(options, touchmark.WithName(*name))
	}
	for key, value := range annotations {
		options = append(options, touchmark.WithAnnotation(key, value))
	}
	for _, each := range predicates {
		options = append(options, touchmark.WithPredicate(each))
	}
	return options
}

func keyPolicy(all []input, threshold int, options []touchmark.PolicyOption) (*touchmark.Policy, error) {
	keys, err := readKeys(all)
	if err != nil {
		return nil, err
	}
	return touchmark.NewPolicy(keys, threshold, options...)
}

func runVerify(c struct {
	head
	Manifest       input
	Envelopes      []input
	Keys           []input
	Threshold      int
	Name           *string
	Annotations    map[string]string
	PredicateTypes []string `json:"predicate_types"`
	At             int64
}) outcome {
	policy, err := keyPolicy(c.Keys, c.Threshold, wants(c.Name, c.Annotations, c.PredicateTypes))
	if err != nil {
		return outcome{err: err}
	}
	return accepted(touchmark.VerifyManifest(policy, c.Manifest.content, contents(c.Envelopes), at(c.At)))
}

// place is what a case of a search says that a store has.
type place struct {
	manifests, blobs, referrers map[string]input
	failing                     map[string]bool
}

func (p *place) get(from map[string]input, digest string) ([]byte, error) {
	if p.failing[digest] {
		return nil, fmt.Errorf("%s cannot be reached", digest)
	}
	if found, ok := from[digest]; ok {
		return found.content, nil
	}
	return nil, fs.ErrNotExist
}

func (p *place) Manifest(_ context.Context, digest string, _ uint64) ([]byte, error) {
	return p.get(p.manifests, digest)
}

func (p *place) Blob(_ context.Context, digest string, _ uint64) ([]byte, error) {
	return p.get(p.blobs, digest)
}

func (p *place) Referrers(_ context.Context, need touchmark.Need) (touchmark.Referrers, error) {
	index, err := p.get(p.referrers, need.Digest)
	if errors.Is(err, fs.ErrNotExist) {
		index, err = []byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`), nil
	}
	return touchmark.Referrers{Index: index, Complete: true}, err
}

func (p *place) Hash(_ context.Context, digest string, _ uint64) (string, uint64, error) {
	content, err := p.get(p.blobs, digest)
	if err != nil {
		return "", 0, err
	}
	algorithm := touchmark.SHA256
	if strings.HasPrefix(digest, "sha512:") {
		algorithm = touchmark.SHA512
	}
	hashed, size, err := touchmark.DigestReader(algorithm, bytes.NewReader(content))
	return hashed, uint64(size), err
}

func runSearch(c struct {
	head
	Store       struct{ Manifests, Blobs, Referrers map[string]input }
	Artifact    string
	CoveredBy   string `json:"covered_by"`
	Platform    string
	Failing     []string
	Keys        []input
	Threshold   int
	Name        *string
	Annotations map[string]string
	Predicates  []string `json:"predicate_types"`
	At          int64
}) outcome {
	policy, err := keyPolicy(c.Keys, c.Threshold, wants(c.Name, c.Annotations, c.Predicates))
	if err != nil {
		return outcome{err: err}
	}
	var options []touchmark.RequestOption
	if c.CoveredBy != "" {
		options = append(options, touchmark.CoveredBy(c.CoveredBy))
	}
	if c.Platform != "" {
		options = append(options, touchmark.Platform(c.Platform))
	}
	request, err := touchmark.NewRequest(policy, c.Artifact, at(c.At), options...)
	if err != nil {
		return outcome{err: err}
	}
	from := &place{c.Store.Manifests, c.Store.Blobs, c.Store.Referrers, map[string]bool{}}
	for _, each := range c.Failing {
		from.failing[each] = true
	}
	return accepted(touchmark.Decide(background, request, from))
}

// repository is a folder of vectors as the repository that a client fetches from.
func repository(folder string) touchmark.Fetcher {
	return touchmark.FetchFS(os.DirFS(filepath.Join(vectors, folder)))
}

type target struct {
	Path   string
	Expect expectation
}

func runTUF(c struct {
	head
	Root    input
	Updates []struct {
		Repository string
		At         int64
		Targets    []target
		Expect     expectation
	}
}) outcome {
	store := touchmark.MemoryStore{"root.json": c.Root.content}
	for i, update := range c.Updates {
		client, err := touchmark.NewTUFClient(at(update.At), false)
		last := outcome{err: err}
		if err == nil {
			defer client.Close()
			if last.err = client.Drive(background, repository(update.Repository), store); last.err == nil {
				last.facts.Versions, last.err = versions(client)
			}
		}
		if err := update.Expect.compare(last); err != nil {
			return outcome{err: fmt.Errorf("update %d: %w", i, err)}
		}
		for _, target := range update.Targets {
			if err := target.Expect.compare(lookUp(client, target.Path, update.Repository, store)); err != nil {
				return outcome{err: fmt.Errorf("update %d, target %s: %w", i, target.Path, err)}
			}
		}
	}
	return outcome{}
}

func versions(client *touchmark.TUFClient) (map[string]int, error) {
	document, err := client.State()
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(document, &members); err != nil {
		return nil, err
	}
	all := map[string]int{}
	for _, role := range []string{"root", "timestamp", "snapshot", "targets"} {
		var state struct{ Version int }
		if json.Unmarshal(members[role], &state) == nil && state.Version > 0 {
			all[role] = state.Version
		}
	}
	return all, nil
}

func lookUp(client *touchmark.TUFClient, path, folder string, store touchmark.Store) outcome {
	err := client.LookUp(path)
	if err == nil {
		err = client.Drive(background, repository(folder), store)
	}
	if err != nil {
		return outcome{err: err}
	}
	found, err := client.Found()
	if err != nil {
		return outcome{err: err}
	}
	document, err := found.JSON()
	if err != nil {
		return outcome{err: err}
	}
	var listed struct{ Hashes map[string]string }
	if err := json.Unmarshal(document, &listed); err != nil {
		return outcome{err: err}
	}
	length, role, hash := found.Length(), found.Role(), listed.Hashes["sha256"]
	return outcome{facts: expectation{Length: &length, Role: &role, SHA256: &hash}}
}

func runStanding(c struct {
	head
	Root       input
	Repository string
	At         int64
	Name       string
	Manifest   input
	Envelopes  []input
	AcceptOnly []string `json:"accept_only"`
	ByRole     string   `json:"by_role"`
}) outcome {
	client, err := touchmark.NewTUFClient(at(c.At), false)
	if err != nil {
		return outcome{err: err}
	}
	defer client.Close()
	store := touchmark.MemoryStore{"root.json": c.Root.content}
	err = client.Drive(background, repository(c.Repository), store)
	if err == nil {
		err = client.LookUp(c.Name)
	}
	if err == nil {
		err = client.Drive(background, repository(c.Repository), store)
	}
	if err != nil {
		return outcome{err: err}
	}
	standing, err := client.Standing(c.Name)
	if err != nil {
		return outcome{err: err}
	}
	var options []touchmark.PolicyOption
	var kinds touchmark.Acceptance
	for _, each := range c.AcceptOnly {
		kind, ok := map[string]touchmark.Acceptance{
			"entry": touchmark.AcceptEntry, "seal": touchmark.AcceptSeal, "envelopes": touchmark.AcceptEnvelopes,
		}[each]
		if !ok {
			return outcome{err: fmt.Errorf("unknown evidence %q", each)}
		}
		kinds |= kind
	}
	if c.AcceptOnly != nil {
		options = append(options, touchmark.WithAcceptOnly(kinds))
	}
	if c.ByRole != "" {
		options = append(options, touchmark.WithRole(c.ByRole))
	}
	policy, err := touchmark.NewStandingPolicy(standing, options...)
	if err != nil {
		return outcome{err: err}
	}
	return accepted(touchmark.VerifyManifest(policy, c.Manifest.content, contents(c.Envelopes), at(c.At)))
}

// links are a folder of vectors. No inspection is answered.
type links string

func (l links) File(_ context.Context, path string, _ uint64) ([]byte, error) {
	return os.ReadFile(filepath.Join(vectors, string(l), path))
}

func (l links) Names(_ context.Context, folder, step string) (names []string, err error) {
	entries, err := os.ReadDir(filepath.Join(vectors, string(l), folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	link := regexp.MustCompile("^" + regexp.QuoteMeta(step) + `\.[0-9a-f]{8}\.link$`)
	for _, entry := range entries {
		if link.MatchString(entry.Name()) {
			names = append(names, entry.Name())
		}
	}
	return names, err
}

func (links) Inspection(context.Context, string, string) ([]byte, error) { return nil, fs.ErrNotExist }

func runSupplyChain(c struct {
	head
	Layout     input
	Keys       []input
	Links      string
	Parameters map[string]string
	At         int64
}) outcome {
	keys, err := readKeys(c.Keys)
	if err != nil {
		return outcome{err: err}
	}
	chain, err := touchmark.NewSupplyChain(c.Layout.content, keys, c.Parameters, at(c.At))
	if err != nil {
		return outcome{err: err}
	}
	defer chain.Close()
	_, err = chain.Drive(background, links(c.Links))
	return outcome{err: err}
}
