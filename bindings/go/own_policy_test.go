package touchmark_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	touchmark "github.com/touchmark/touchmark/bindings/go"
)

const (
	layout   = "oci:../../testdata/layouts/signed"
	noPolicy = ""
	// What a trust repository's own policy says.
	rejectsTool = `{"version":1,"rules":[{"names":"acme/tool:1","reject":true},{"names":"acme/**","trust":"self"}]}`
	acceptsTool = `{"version":1,"rules":[{"names":"acme/tool:*","trust":"self"}]}`
)

// published is a trust repository: its files by their paths, and a fetcher of each kind.
type published struct {
	root              []byte
	files             fstest.MapFS
	metadata, targets touchmark.Fetcher
}

// publish makes a trust repository that lists artifacts of the layout, by their names, and signs this policy, if any.
func publish(t *testing.T, policy string, entries map[string]*touchmark.Source) *published {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key := map[string]any{"keytype": "ed25519", "scheme": "ed25519", "keyval": map[string]any{"public": hex.EncodeToString(public)}}
	id := strings.TrimPrefix(digest(t, canonical(t, key)), "sha256:")
	files := fstest.MapFS{}
	sign := func(file, role string, signed map[string]any) []byte {
		t.Helper()
		signed["_type"], signed["spec_version"], signed["version"], signed["expires"] = role, "1.0.34", 1, "2030-01-01T00:00:00Z"
		signature := hex.EncodeToString(ed25519.Sign(private, canonical(t, signed)))
		document := canonical(t, map[string]any{"signed": signed, "signatures": []any{map[string]any{"keyid": id, "sig": signature}}})
		files["metadata/"+file] = &fstest.MapFile{Data: document}
		return document
	}
	targets := map[string]any{}
	for name, source := range entries {
		manifest, err := source.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		targets[name] = listed(t, manifest)
	}
	if policy != noPolicy {
		of := listed(t, []byte(policy))
		targets["_touchmark/policy.json"] = of
		path := fmt.Sprintf("targets/_touchmark/%s.policy.json", of["hashes"].(map[string]any)["sha256"])
		files[path] = &fstest.MapFile{Data: []byte(policy)}
	}
	role := map[string]any{"keyids": []any{id}, "threshold": 1}
	root := sign("1.root.json", "root", map[string]any{
		"consistent_snapshot": true, "keys": map[string]any{id: key},
		"roles": map[string]any{"root": role, "timestamp": role, "snapshot": role, "targets": role},
	})
	sign("1.targets.json", "targets", map[string]any{"targets": targets})
	first := map[string]any{"version": 1}
	sign("1.snapshot.json", "snapshot", map[string]any{"meta": map[string]any{"targets.json": first}})
	sign("timestamp.json", "timestamp", map[string]any{"meta": map[string]any{"snapshot.json": first}})
	below := func(folder string) touchmark.Fetcher {
		part, err := files.Sub(folder)
		if err != nil {
			t.Fatal(err)
		}
		return touchmark.FetchFS(part)
	}
	return &published{root, files, below("metadata"), below("targets")}
}

func canonical(t *testing.T, document any) []byte {
	t.Helper()
	plain, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	form, err := touchmark.CanonicalJSON(plain)
	if err != nil {
		t.Fatal(err)
	}
	return form
}

func digest(t *testing.T, content []byte) string {
	t.Helper()
	digest, err := touchmark.Digest(touchmark.SHA256, content)
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

func listed(t *testing.T, content []byte) map[string]any {
	t.Helper()
	return map[string]any{"length": len(content), "hashes": map[string]any{"sha256": strings.TrimPrefix(digest(t, content), "sha256:")}}
}

// open opens the repository by its files in memory.
func (p *published) open(t *testing.T, targets touchmark.Fetcher) *touchmark.TrustRoot {
	t.Helper()
	trusted, err := touchmark.OpenTrustRootWith(background, p.root, p.metadata, targets, t.TempDir(), now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { trusted.Close() })
	return trusted
}

// openFolder opens the repository by its files in a folder.
func (p *published) openFolder(t *testing.T) *touchmark.TrustRoot {
	t.Helper()
	folder := t.TempDir()
	for path, file := range p.files {
		write(t, filepath.Join(folder, path), string(file.Data))
	}
	trusted, err := touchmark.OpenTrustRoot(p.root, filepath.Join(folder, "metadata"), t.TempDir(), now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { trusted.Close() })
	return trusted
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func source(t *testing.T, tag string) *touchmark.Source {
	t.Helper()
	source, err := touchmark.OpenSource(layout + ":" + tag)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { source.Close() })
	return source
}

// tool is an artifact that nobody signed, and a repository that lists it as acme/tool:1 and signs this policy.
func tool(t *testing.T, policy string) (*touchmark.Source, *published) {
	t.Helper()
	artifact := source(t, "unsigned")
	return artifact, publish(t, policy, map[string]*touchmark.Source{"acme/tool:1": artifact})
}

func TestATrustRootAsksThePolicyThatItsRepositorySigns(t *testing.T) {
	for policy, rejected := range map[string]bool{noPolicy: false, acceptsTool: false, rejectsTool: true, `{"version":1,"rules":[]}`: true} {
		artifact, repository := tool(t, policy)
		for _, trusted := range []*touchmark.TrustRoot{repository.open(t, repository.targets), repository.openFolder(t)} {
			// The standing knows nothing of it.
			standing, err := trusted.Standing(background, "acme/tool:1")
			if err != nil {
				t.Fatal(err)
			}
			byStanding, err := touchmark.NewStandingPolicy(standing)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := artifact.Verify(byStanding, now); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"acme/tool:1", "acme/tool:*"} {
				accepted, err := trusted.Verify(background, artifact, name, now)
				if rejected {
					fails(t, err, touchmark.ErrPolicyRejected, touchmark.ClassPolicy)
				} else if err != nil || accepted.Name() != "acme/tool:1" {
					t.Fatal(policy, name, err)
				}
			}
		}
	}
}

func TestATrustRootRefusesWhatItDoesNotList(t *testing.T) {
	artifact, repository := tool(t, acceptsTool)
	trusted := repository.open(t, repository.targets)
	_, err := trusted.Verify(background, source(t, "v1"), "acme/tool:1", now)
	fails(t, err, touchmark.ErrNotVerified)
	for _, name := range []string{"", "no name"} {
		_, err = trusted.Verify(background, artifact, name, now)
		fails(t, err, touchmark.ErrInvalidName)
	}
	_, err = trusted.Verify(background, artifact, "acme/tool:1", at(0))
	fails(t, err, touchmark.ErrInvalidTime)
	_, err = trusted.Verify(background, artifact, "acme/tool:1", time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC))
	fails(t, err, touchmark.ErrExpiredMetadata)
	closed := source(t, "unsigned")
	closed.Close()
	_, err = trusted.Verify(background, closed, "acme/tool:1", now)
	fails(t, err, touchmark.ErrNullPointer)
	if _, err = trusted.Verify(background, artifact, "acme/tool:1", now); err != nil {
		t.Fatal(err)
	}
}

func TestAPolicyOfTheRepositoryThatIsNotToBeHadIsNotFoundOut(t *testing.T) {
	artifact, repository := tool(t, acceptsTool)
	_, err := repository.open(t, nil).Verify(background, artifact, "acme/tool:1", now)
	fails(t, err, touchmark.ErrUnknown)
	away := errors.New("the cable is out")
	broken := touchmark.FetchFunc(func(context.Context, string, uint64) ([]byte, error) { return nil, away })
	_, err = repository.open(t, broken).Verify(background, artifact, "acme/tool:1", now)
	fails(t, err, touchmark.ErrUnknown, away)
	ctx, cancel := context.WithCancel(background)
	cancelling := touchmark.FetchFunc(func(ctx context.Context, _ string, _ uint64) ([]byte, error) {
		cancel()
		return nil, ctx.Err()
	})
	trusted := repository.open(t, cancelling)
	_, err = trusted.Verify(ctx, artifact, "acme/tool:1", now)
	fails(t, err, context.Canceled)
	defer func() {
		if recover() != "no such thing" {
			t.Error("the panic is lost")
		}
	}()
	panicking := touchmark.FetchFunc(func(context.Context, string, uint64) ([]byte, error) { panic("no such thing") })
	repository.open(t, panicking).Verify(background, artifact, "acme/tool:1", now)
}

func TestATrustRootAnswersForTheImageOfAPlatform(t *testing.T) {
	multi := source(t, "multi")
	image, err := source(t, "unsigned").Digest()
	if err != nil {
		t.Fatal(err)
	}
	children := strings.Replace(acceptsTool, `"self"`, `"self","children":"allow"`, 1)
	for policy, rejected := range map[string]bool{noPolicy: false, children: false, acceptsTool: true} {
		repository := publish(t, policy, map[string]*touchmark.Source{"acme/tool:1": multi})
		trusted := repository.open(t, repository.targets)
		accepted, err := trusted.Verify(background, multi, "acme/tool:1", now, touchmark.ForPlatform("linux/arm64"))
		if rejected {
			fails(t, err, touchmark.ErrPolicyRejected)
		} else if err != nil || accepted.Digest() != image {
			t.Fatal(policy, err)
		}
		for _, none := range []touchmark.ForPlatform{"", "linux"} {
			_, err = trusted.Verify(background, multi, "acme/tool:1", now, none)
			fails(t, err, touchmark.ErrInvalidArgument)
		}
	}
}

// trustSteps are what a trust root does one at a time.
var trustSteps = map[string]func(*touchmark.TrustRoot) error{
	"Standing": func(r *touchmark.TrustRoot) error { _, err := r.Standing(background, "acme/tool:1"); return err },
	"Target": func(r *touchmark.TrustRoot) error {
		_, err := r.Target(background, "_touchmark/policy.json")
		return err
	},
	"Notes": func(r *touchmark.TrustRoot) error { _, err := r.Notes(); return err },
	"Verify": func(r *touchmark.TrustRoot) error {
		source, err := touchmark.OpenSource(layout + ":unsigned")
		if err == nil {
			defer source.Close()
			_, err = r.Verify(background, source, "acme/tool:1", now)
		}
		return err
	},
}

func TestADecisionHasTheTrustRootUntilItEnds(t *testing.T) {
	artifact, repository := tool(t, acceptsTool)
	var ask func()
	trusted := repository.open(t, touchmark.FetchFunc(func(ctx context.Context, path string, limit uint64) ([]byte, error) {
		ask()
		return repository.targets.Fetch(ctx, path, limit)
	}))
	drive := func(asking func()) error {
		ask = asking
		_, err := trusted.Verify(background, artifact, "acme/tool:1", now)
		return err
	}
	beside(t, drive, func() { refused(t, trusted, trustSteps) })
	for name, step := range trustSteps {
		if err := step(trusted); err != nil {
			t.Fatal(name, err)
		}
	}
}

func TestAFetcherMustNotUseTheTrustRootThatAsksIt(t *testing.T) {
	artifact, repository := tool(t, acceptsTool)
	var trusted *touchmark.TrustRoot
	asked := false
	trusted = repository.open(t, touchmark.FetchFunc(func(ctx context.Context, path string, limit uint64) ([]byte, error) {
		asked = true
		refused(t, trusted, trustSteps)
		return repository.targets.Fetch(ctx, path, limit)
	}))
	if _, err := trusted.Verify(background, artifact, "acme/tool:1", now); err != nil || !asked {
		t.Fatal(err, asked)
	}
}

func TestClosingTakesNothingFromADecision(t *testing.T) {
	artifact, repository := tool(t, rejectsTool)
	var trusted *touchmark.TrustRoot
	trusted = repository.open(t, touchmark.FetchFunc(func(ctx context.Context, path string, limit uint64) ([]byte, error) {
		trusted.Close()
		artifact.Close()
		return repository.targets.Fetch(ctx, path, limit)
	}))
	_, err := trusted.Verify(background, artifact, "acme/tool:1", now)
	fails(t, err, touchmark.ErrPolicyRejected)
	_, err = trusted.Verify(background, artifact, "acme/tool:1", now)
	fails(t, err, touchmark.ErrNullPointer)
}

// policyFile is a policy of these rules, which may speak of the key alice.pub and of a trust root, "ours".
func policyFile(t *testing.T, rules string, ours *published) *touchmark.PolicyFile {
	t.Helper()
	folder := t.TempDir()
	key, err := os.ReadFile("../../testdata/layouts/alice.pub")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, "alice.pub"), string(key))
	trust := ""
	if ours != nil {
		for path, file := range ours.files {
			write(t, filepath.Join(folder, "trust", path), string(file.Data))
		}
		trust = `"trust":{"ours":{"root":"trust/metadata/1.root.json","source":"./trust","store":"none"}},`
	}
	write(t, filepath.Join(folder, "policy.json"), fmt.Sprintf(`{"version":1,%s"rules":[%s]}`, trust, rules))
	file, err := touchmark.OpenPolicyFile(filepath.Join(folder, "policy.json"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

func TestAPolicyFileIsAskedForNames(t *testing.T) {
	file := policyFile(t, `{"names":"acme/x:*","keys":"alice.pub"}`, nil)
	artifact := source(t, "v1")
	for _, name := range []touchmark.AsName{"acme/x:1", "acme/x:*"} {
		if accepted, err := file.Verify(artifact, now, name); err != nil || accepted.Name() != "acme/x:1" {
			t.Fatal(err)
		}
	}
	_, err := file.Verify(artifact, now)
	fails(t, err, touchmark.ErrPolicyRejected)
	_, err = file.Verify(artifact, now, touchmark.AsName("acme/y:1"))
	fails(t, err, touchmark.ErrPolicyRejected)
	_, err = file.Verify(artifact, now, touchmark.AsName("acme/x:2"))
	fails(t, err, touchmark.ErrNotVerified)
	for _, none := range []touchmark.AsName{"", "no name"} {
		_, err = file.Verify(artifact, now, none)
		fails(t, err, touchmark.ErrInvalidName)
	}
}

func TestAPolicyFileAnswersForTheImageOfAPlatform(t *testing.T) {
	multi := source(t, "multi")
	image, err := source(t, "unsigned").Digest()
	if err != nil {
		t.Fatal(err)
	}
	asked := []touchmark.PolicyFileOption{touchmark.AsName("acme/multi:1"), touchmark.ForPlatform("linux/arm64")}
	file := policyFile(t, `{"names":"acme/multi:*","keys":"alice.pub","children":"allow"}`, nil)
	if accepted, err := file.Verify(multi, now, asked...); err != nil || accepted.Digest() != image {
		t.Fatal(err)
	}
	_, err = file.Verify(multi, now, asked[0], touchmark.ForPlatform(""))
	fails(t, err, touchmark.ErrInvalidArgument)
	_, err = policyFile(t, `{"names":"acme/multi:*","keys":"alice.pub"}`, nil).Verify(multi, now, asked...)
	fails(t, err, touchmark.ErrPolicyRejected)
}

func TestAPolicyFileAsksThePolicyThatATrustRepositorySigns(t *testing.T) {
	for policy, rejected := range map[string]bool{acceptsTool: false, rejectsTool: true} {
		artifact, repository := tool(t, policy)
		_, err := policyFile(t, `{"names":"acme/**","trust":"ours"}`, repository).Verify(artifact, now, touchmark.AsName("acme/tool:1"))
		if rejected {
			fails(t, err, touchmark.ErrPolicyRejected)
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
