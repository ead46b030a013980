package touchmark_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strings"
	"testing"

	touchmark "github.com/touchmark/touchmark/bindings/go"
)

// The vectors that all languages share; SPEC.md, section 27.
const vectors = "../../testdata/vectors"

// input is bytes: in a file, as text, or in base64.
type input struct{ content []byte }

func (i *input) UnmarshalJSON(document []byte) error {
	var in struct{ File, Text, Base64 *string }
	if err := strictly(document, &in); err != nil {
		return err
	}
	var kinds map[string]string
	if err := json.Unmarshal(document, &kinds); err != nil || len(kinds) != 1 {
		return errors.Join(errors.New("an input is of one kind"), err)
	}
	var err error
	switch {
	case in.File != nil:
		i.content, err = os.ReadFile(filepath.Join(vectors, *in.File))
	case in.Text != nil:
		i.content = []byte(*in.Text)
	case in.Base64 != nil:
		i.content, err = base64.StdEncoding.DecodeString(*in.Base64)
	default:
		err = errors.New("an input without content")
	}
	return err
}

func contents(all []input) (out [][]byte) {
	for _, each := range all {
		out = append(out, each.content)
	}
	return out
}

// expectation is how a case ends. A member that its operation says nothing of fails the case, see compare.
type expectation struct {
	Status, Code string
	Output       *input
	Digest       *string
	Algorithm    *string
	KeyID        *string `json:"key_id"`
	Payload      *input
	PayloadType  *string `json:"payload_type"`
	Keys         []string
	Name         *string
	AcceptedBy   *string `json:"accepted_by"`
	Versions     map[string]int
	Length       *uint64
	SHA256       *string
	Role         *string
	Rule         json.RawMessage
}

// head is what every case has.
type head struct {
	ID, Operation, Why, Spec string
	// Missing where each part of the case has its own.
	Expect *expectation
}

// strictly decodes, and refuses members that nobody knows, so that nothing is left out in silence.
func strictly(document []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

// outcome is what a case came to.
type outcome struct {
	err   error
	facts expectation
}

// run is how an operation's cases are run.
type run func(document []byte) (head, outcome, error)

func TestVectors(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(vectors, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var index struct {
		Format int
		Cases  []json.RawMessage
	}
	if err := strictly(content, &index); err != nil {
		t.Fatal(err)
	}
	if index.Format != 1 || len(index.Cases) == 0 {
		t.Fatalf("format %d with %d cases", index.Format, len(index.Cases))
	}
	failed := 0
	for i, document := range index.Cases {
		var named struct{ ID, Operation string }
		if err := json.Unmarshal(document, &named); err != nil {
			t.Fatal(err)
		}
		if err := runCase(named.Operation, document); err != nil {
			failed++
			t.Errorf("%d %s: %v", i, named.ID, err)
		}
	}
	fmt.Printf("Go: %d vectors passed, %d failed\n", len(index.Cases)-failed, failed)
}

func runCase(operation string, document []byte) error {
	do, ok := operations[operation]
	if !ok {
		return fmt.Errorf("unknown operation %q", operation)
	}
	head, got, err := do(document)
	if err != nil {
		return err
	}
	if head.Expect == nil && operation == "tuf" {
		return got.err
	}
	if head.Expect == nil {
		return errors.New("nothing is expected")
	}
	return head.Expect.compare(got)
}

// compare says how the outcome differs. Every fact that is expected must be among those found.
func (e expectation) compare(got outcome) error {
	status, code := "OK", ""
	var failure *touchmark.Error
	if errors.As(got.err, &failure) {
		status, code = failure.Status.String(), failure.Code
		if !json.Valid(failure.JSON) || failure.Message == "" {
			return fmt.Errorf("an error without message or JSON: %#v", failure)
		}
	} else if got.err != nil {
		return got.err
	}
	if status != e.Status || e.Code != "" && code != e.Code {
		return fmt.Errorf("%s %s where %s %s was expected: %v", status, code, e.Status, e.Code, got.err)
	}
	wanted, found := reflect.ValueOf(e), reflect.ValueOf(got.facts)
	for i := 0; i < wanted.NumField(); i++ {
		name := wanted.Type().Field(i).Name
		if name == "Status" || name == "Code" || wanted.Field(i).IsZero() {
			continue
		}
		if !reflect.DeepEqual(wanted.Field(i).Interface(), found.Field(i).Interface()) {
			show := func(v reflect.Value) string { return fmt.Sprintf("%+v", reflect.Indirect(v).Interface()) }
			if found.Field(i).IsZero() {
				return fmt.Errorf("no %s, where %s was expected", name, show(wanted.Field(i)))
			}
			return fmt.Errorf("%s is %s, not %s", name, show(found.Field(i)), show(wanted.Field(i)))
		}
	}
	return nil
}

// on makes a run of a function over a case of its own type, which embeds head.
func on[T interface{ common() head }](f func(T) outcome) run {
	return func(document []byte) (head, outcome, error) {
		var c T
		if err := strictly(document, &c); err != nil {
			return head{}, outcome{}, err
		}
		return c.common(), f(c), nil
	}
}

func (h head) common() head { return h }

var operations = map[string]run{
	"canonical-json": on(func(c struct {
		head
		Document input
	}) (o outcome) {
		var output []byte
		output, o.err = touchmark.CanonicalJSON(c.Document.content)
		o.facts.Output = &input{output}
		return o
	}),
	"digest": on(runDigest),
	"name": on(func(c struct {
		head
		Name string
	}) outcome {
		return outcome{err: touchmark.CheckName(c.Name)}
	}),
	"public-key": on(func(c struct {
		head
		Key input
	}) outcome {
		key, err := touchmark.ReadPublicKey(c.Key.content)
		if err != nil {
			return outcome{err: err}
		}
		algorithm, id := key.Algorithm().String(), key.ID()
		return outcome{facts: expectation{Algorithm: &algorithm, KeyID: &id}}
	}),
	"signature": on(func(c struct {
		head
		Key, Message, Signature input
	}) outcome {
		key, err := touchmark.ReadPublicKey(c.Key.content)
		if err == nil {
			err = key.Verify(c.Message.content, c.Signature.content)
		}
		return outcome{err: err}
	}),
	"envelope":        on(runEnvelope),
	"verify":          on(runVerify),
	"search":          on(runSearch),
	"tuf":             on(runTUF),
	"standing":        on(runStanding),
	"supply-chain":    on(runSupplyChain),
	"policy-document": on(runPolicyDocument),
	"layout":          on(runLayout),
}

type digestCase struct {
	head
	Algorithm string
	Document  input
}

func runDigest(c digestCase) outcome {
	algorithm := map[string]touchmark.DigestAlgorithm{"sha256": touchmark.SHA256, "sha512": touchmark.SHA512}[c.Algorithm]
	digest, err := touchmark.Digest(algorithm, c.Document.content)
	for _, size := range []int{1, 7, 64} {
		hasher, err2 := touchmark.NewHasher(algorithm)
		if err2 != nil {
			return outcome{err: err2}
		}
		for rest := c.Document.content; len(rest) > 0; rest = rest[min(size, len(rest)):] {
			if _, err := hasher.Write(rest[:min(size, len(rest))]); err != nil {
				return outcome{err: err}
			}
		}
		if streamed, err2 := hasher.Finish(); err2 != nil || streamed != digest {
			return outcome{err: fmt.Errorf("in pieces of %d: %s, %v", size, streamed, err2)}
		}
	}
	return outcome{err, expectation{Digest: &digest}}
}

func readKeys(all []input) (keys []*touchmark.PublicKey, err error) {
	for _, each := range all {
		key, err := touchmark.ReadPublicKey(each.content)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

type envelopeCase struct {
	head
	Envelope  input
	Keys      []input
	Threshold int
}

func runEnvelope(c envelopeCase) outcome {
	envelope, err := touchmark.ParseEnvelope(c.Envelope.content)
	if err != nil {
		return outcome{err: err}
	}
	keys, err := readKeys(c.Keys)
	if err != nil {
		return outcome{err: err}
	}
	verified, err := envelope.Verify(c.Threshold, keys...)
	if err != nil {
		return outcome{err: err}
	}
	payloadType, ids := verified.PayloadType(), verified.KeyIDs()
	sort.Strings(ids)
	return outcome{facts: expectation{Payload: &input{verified.Payload()}, PayloadType: &payloadType, Keys: ids}}
}

func runPolicyDocument(c struct {
	head
	Document  input
	Origin    string
	Questions []struct {
		Reference, Name string
		Expect          expectation
	}
}) outcome {
	origin := map[string]touchmark.Origin{"local": touchmark.OriginLocal, "signed": touchmark.OriginSigned}[c.Origin]
	document, err := touchmark.ReadPolicyDocument(c.Document.content, origin)
	if err != nil {
		return outcome{err: err}
	}
	for _, question := range c.Questions {
		var o outcome
		var rule []byte
		if rule, o.err = document.Decide(question.Reference, question.Name); o.err == nil {
			o.facts.Rule, o.err = touchmark.CanonicalJSON(rule)
		}
		if len(question.Expect.Rule) > 0 {
			if question.Expect.Rule, err = touchmark.CanonicalJSON(question.Expect.Rule); err != nil {
				return outcome{err: err}
			}
		}
		if err := question.Expect.compare(o); err != nil {
			return outcome{err: fmt.Errorf("of %s %s: %w", question.Reference, question.Name, err)}
		}
	}
	return outcome{}
}

func runLayout(c struct {
	head
	Reference   string
	Keys        []input
	Threshold   int
	Name        *string
	Annotations map[string]string
	Predicates  []string `json:"predicate_types"`
	Policy      string
	At          int64
}) outcome {
	scheme, path, _ := strings.Cut(c.Reference, ":")
	source, err := touchmark.OpenSource(scheme + ":" + filepath.Join(vectors, path))
	if err != nil {
		return outcome{err: err}
	}
	defer source.Close()
	if c.Policy != "" {
		file, err := touchmark.OpenPolicyFile(filepath.Join(vectors, c.Policy))
		if err != nil {
			return outcome{err: err}
		}
		return accepted(file.Verify(source, at(c.At)))
	}
	policy, err := keyPolicy(c.Keys, c.Threshold, wants(c.Name, c.Annotations, c.Predicates))
	if err != nil {
		return outcome{err: err}
	}
	return accepted(source.Verify(policy, at(c.At)))
}

// accepted are the facts of a decision.
func accepted(artifact *touchmark.VerifiedArtifact, err error) outcome {
	if err != nil {
		return outcome{err: err}
	}
	digest, name := artifact.Digest(), artifact.Name()
	o := outcome{facts: expectation{Digest: &digest, Name: &name}}
	document, err := artifact.JSON()
	if err != nil {
		return outcome{err: err}
	}
	var report struct {
		AcceptedBy string `json:"accepted_by"`
	}
	if err := json.Unmarshal(document, &report); err != nil {
		return outcome{err: err}
	}
	o.facts.AcceptedBy = &report.AcceptedBy
	return o
}

var background = context.Background()
