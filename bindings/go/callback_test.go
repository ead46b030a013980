package touchmark_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io/fs"
	"net"
	"path/filepath"
	"strings"
	"testing"

	touchmark "github.com/touchmark/touchmark/bindings/go"
)

func TestKeysOfTheStandardLibrarySign(t *testing.T) {
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, own := range []crypto.Signer{edwards, p256} {
		signer, err := touchmark.NewCryptoSigner(own)
		if err != nil {
			t.Fatal(err)
		}
		public, err := touchmark.PublicKeyOf(own.Public())
		if err != nil {
			t.Fatal(err)
		}
		envelope, err := touchmark.SignEnvelope(background, "text/plain", []byte("hello"), signer)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := envelope.Verify(1, public); err != nil {
			t.Fatal(err)
		}
	}
	weak, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, err = touchmark.NewCryptoSigner(weak)
	fails(t, err, touchmark.ClassArgument)
	_, err = touchmark.PublicKeyOf("no key")
	fails(t, err, touchmark.ErrInvalidKey)
}

// signing signs by a function, with a key that does not matter.
func signing(t *testing.T, ctx context.Context, sign func(context.Context, []byte) ([]byte, error)) error {
	t.Helper()
	_, public := generate(t, touchmark.Ed25519)
	_, err := touchmark.SignEnvelope(ctx, "text/plain", []byte("hello"), touchmark.NewSignerFunc(public, sign))
	return err
}

func TestTheErrorOfASignerIsInTheChain(t *testing.T) {
	locked := errors.New("the token is locked")
	err := signing(t, background, func(context.Context, []byte) ([]byte, error) { return nil, locked })
	fails(t, err, touchmark.ErrCallbackFailed, touchmark.ClassCallback, locked)
	if !strings.Contains(err.Error(), "the token is locked") {
		t.Fatal(err)
	}
}

func TestWhatASignerOrAStoreDoesNotFindIsAFailure(t *testing.T) {
	err := signing(t, background, func(context.Context, []byte) ([]byte, error) { return nil, fs.ErrNotExist })
	fails(t, err, touchmark.ErrCallbackFailed, fs.ErrNotExist)
	client, store, from := updating(t)
	err = client.Drive(background, from, lostStore{store})
	fails(t, err, touchmark.ErrCallbackFailed, fs.ErrNotExist)
}

type lostStore struct{ touchmark.MemoryStore }

func (lostStore) Store(context.Context, string, []byte) error { return fs.ErrNotExist }

func TestASignatureThatIsNoneIsRefused(t *testing.T) {
	for _, signature := range [][]byte{nil, []byte("x"), make([]byte, 64), make([]byte, 1<<20)} {
		err := signing(t, background, func(context.Context, []byte) ([]byte, error) { return signature, nil })
		if err == nil {
			t.Fatalf("%d bytes that are no signature", len(signature))
		}
	}
}

func TestAPanicOfASignerComesOut(t *testing.T) {
	defer func() {
		if recover() != "no such thing" {
			t.Fatal("the panic is lost")
		}
	}()
	signing(t, background, func(context.Context, []byte) ([]byte, error) { panic("no such thing") })
	t.Fatal("no panic")
}

func TestASignerIsNotAskedWhenTheContextHasEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(background)
	cancel()
	err := signing(t, ctx, func(context.Context, []byte) ([]byte, error) {
		t.Error("it was asked")
		return nil, nil
	})
	fails(t, err, context.Canceled)
}

// honest is a repository of the vectors, by the case in which it is updated from.
func honest(t *testing.T) (root []byte, from touchmark.Fetcher) {
	t.Helper()
	var c struct {
		Root    input
		Updates []struct{ Repository string }
	}
	vector(t, "tuf-honest", &c)
	return c.Root.content, repository(c.Updates[0].Repository)
}

// updating is a client, a store and the repository of the vectors.
func updating(t *testing.T) (*touchmark.TUFClient, touchmark.MemoryStore, touchmark.Fetcher) {
	t.Helper()
	client, err := touchmark.NewTUFClient(now, false)
	if err != nil {
		t.Fatal(err)
	}
	root, from := honest(t)
	return client, touchmark.MemoryStore{"root.json": root}, from
}

func TestAnUpdateEndsWithItsContext(t *testing.T) {
	for _, last := range []string{"timestamp.json", "2.snapshot.json"} {
		asked := false
		client, store, from := updating(t)
		ctx, cancel := context.WithCancel(background)
		err := client.Drive(ctx, touchmark.FetchFunc(func(ctx context.Context, path string, limit uint64) ([]byte, error) {
			if path == last {
				asked = true
				cancel()
				return nil, ctx.Err()
			}
			return from.Fetch(ctx, path, limit)
		}), store)
		fails(t, err, context.Canceled)
		if !asked {
			t.Fatal("it did not come to", last)
		}
	}
}

func TestAnUpdateEndsWithItsContextThoughTheStoreWouldDo(t *testing.T) {
	client, store, from := updating(t)
	if err := client.Drive(background, from, store); err != nil {
		t.Fatal(err)
	}
	again, _, _ := updating(t)
	ctx, cancel := context.WithCancel(background)
	cancel()
	fails(t, again.Drive(ctx, from, store), context.Canceled)
}

func TestTheErrorOfAStoreIsInTheChain(t *testing.T) {
	client, store, from := updating(t)
	err := client.Drive(background, from, fullStore{store})
	fails(t, err, errFull)
}

var errFull = errors.New("the disk is full")

type fullStore struct{ touchmark.MemoryStore }

func (fullStore) Store(context.Context, string, []byte) error { return errFull }

func TestTheErrorOfAFetcherIsInTheChain(t *testing.T) {
	client, store, _ := updating(t)
	away := errors.New("the cable is out")
	err := client.Drive(background, touchmark.FetchFunc(func(context.Context, string, uint64) ([]byte, error) { return nil, away }), store)
	fails(t, err, away)
}

func TestASocketThatIsNotThereIsNoAbsentFile(t *testing.T) {
	client, store, from := updating(t)
	first := true
	err := client.Drive(background, touchmark.FetchFunc(func(ctx context.Context, path string, limit uint64) ([]byte, error) {
		if first {
			first = false
			_, err := net.Dial("unix", filepath.Join(t.TempDir(), "nobody"))
			if !errors.Is(err, fs.ErrNotExist) {
				t.Error(err)
			}
			return nil, err
		}
		return from.Fetch(ctx, path, limit)
	}), store)
	fails(t, err, touchmark.ErrUnknown, fs.ErrNotExist)
}

func TestAPanicOfAFetcherIsThatOfOneCall(t *testing.T) {
	root, from := honest(t)
	store := t.TempDir()
	broken := touchmark.FetchFunc(func(context.Context, string, uint64) ([]byte, error) { panic("no such thing") })
	panics := func(call func()) {
		t.Helper()
		defer func() {
			if recover() != "no such thing" {
				t.Fatal("the panic is lost")
			}
		}()
		call()
	}
	open := func(metadata touchmark.Fetcher) (*touchmark.TrustRoot, error) {
		return touchmark.OpenTrustRootWith(background, root, metadata, broken, store, now)
	}
	first, err := open(from)
	if err != nil {
		t.Fatal(err)
	}
	first.Close()
	panics(func() { open(broken) })
	again, err := open(from) // would wait for whoever has the store
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	panics(func() { again.Target(background, "file") })
	if _, err := again.Notes(); err != nil {
		t.Fatal(err)
	}
}

func TestACallbackMustNotUseTheClientThatCallsIt(t *testing.T) {
	client, store, from := updating(t)
	asked := false
	err := client.Drive(background, touchmark.FetchFunc(func(ctx context.Context, path string, limit uint64) ([]byte, error) {
		_, err := client.State()
		fails(t, err, touchmark.ErrWrongState)
		asked = true
		return from.Fetch(ctx, path, limit)
	}), store)
	if err != nil || !asked {
		t.Fatal(err, asked)
	}
}

func TestAnUpdateBySteps(t *testing.T) {
	client, store, from := updating(t)
	give := func(content []byte, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return client.ProvideAbsent()
		}
		if err != nil {
			return client.ProvideFailure(err)
		}
		return client.ProvideBytes(content)
	}
	for {
		step, err := client.Next()
		switch step.Kind {
		case touchmark.TUFLoad:
			err = errors.Join(err, give(store.Load(background, step.Name)))
		case touchmark.TUFFetch:
			err = errors.Join(err, give(from.Fetch(background, step.Name, step.Limit)))
		case touchmark.TUFStore:
			store[step.Name] = step.Content
			err = errors.Join(err, client.ProvideDone())
		case touchmark.TUFRemove:
			delete(store, step.Name)
			err = errors.Join(err, client.ProvideDone())
		}
		if err != nil {
			t.Fatal(err)
		}
		if step.Kind == touchmark.TUFDone {
			break
		}
	}
	fails(t, client.ProvideDone(), touchmark.ErrWrongState)
	if all, err := versions(client); err != nil || all["timestamp"] != 2 {
		t.Fatal(all, err)
	}
}

func TestATrustRootDecides(t *testing.T) {
	var c struct {
		Root, Manifest input
		Repository     string
		Name           string
	}
	vector(t, "standing-entry", &c)
	root, listed, from := c.Root.content, c.Manifest.content, repository(c.Repository)
	fetched := 0
	opened, err := touchmark.OpenTrustRootWith(background, root, touchmark.FetchFunc(func(ctx context.Context, path string, limit uint64) ([]byte, error) {
		fetched++
		return from.Fetch(ctx, path, limit)
	}), nil, t.TempDir(), now)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	folder, err := touchmark.OpenTrustRoot(root, filepath.Join(vectors, c.Repository), t.TempDir(), now)
	if err != nil {
		t.Fatal(err)
	}
	for _, trusted := range []*touchmark.TrustRoot{opened, folder} {
		standing, err := trusted.Standing(background, c.Name)
		if err != nil {
			t.Fatal(err)
		}
		if !standing.Expires().After(now) {
			t.Fatal(standing.Expires())
		}
		policy, err := touchmark.NewStandingPolicy(standing, touchmark.WithAcceptOnly(touchmark.AcceptEntry))
		if err != nil {
			t.Fatal(err)
		}
		artifact, err := touchmark.VerifyManifest(policy, listed, nil, now)
		if err != nil || artifact.Name() != c.Name {
			t.Fatal(err)
		}
		_, err = touchmark.VerifyManifest(policy, append(listed, ' '), nil, now)
		fails(t, err, touchmark.ErrNotVerified)
		if _, err := trusted.Notes(); err != nil {
			t.Fatal(err)
		}
	}
	if fetched == 0 {
		t.Fatal("nothing was fetched")
	}
	ctx, cancel := context.WithCancel(background)
	cancel()
	_, err = touchmark.OpenTrustRootWith(ctx, root, from, nil, t.TempDir(), now)
	fails(t, err, context.Canceled)
}

func TestATrustRootEndsWithItsContextThoughTheStoreWouldDo(t *testing.T) {
	root, from := honest(t)
	store := t.TempDir()
	open := func(ctx context.Context, from touchmark.Fetcher) error {
		opened, err := touchmark.OpenTrustRootWith(ctx, root, from, nil, store, now)
		if err == nil {
			_, err = opened.Standing(ctx, "acme/tool")
			opened.Close()
		}
		return err
	}
	if err := open(background, from); err != nil {
		t.Fatal(err)
	}
	away := touchmark.FetchFunc(func(context.Context, string, uint64) ([]byte, error) { return nil, errors.New("the cable is out") })
	if err := open(background, away); err != nil {
		t.Fatal("the store would not do:", err)
	}
	ctx, cancel := context.WithCancel(background)
	err := open(ctx, touchmark.FetchFunc(func(ctx context.Context, _ string, _ uint64) ([]byte, error) {
		cancel()
		return nil, ctx.Err()
	}))
	fails(t, err, context.Canceled)
}

func TestADecisionEndsWithItsContext(t *testing.T) {
	_, public := generate(t, touchmark.Ed25519)
	policy, err := touchmark.NewPolicy([]*touchmark.PublicKey{public}, 1)
	if err != nil {
		t.Fatal(err)
	}
	digest, _ := touchmark.Digest(touchmark.SHA256, nil)
	request, err := touchmark.NewRequest(policy, digest, now)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(background)
	_, err = touchmark.Decide(ctx, request, &cancelling{cancel: cancel})
	fails(t, err, touchmark.ErrUnknown, context.Canceled)
	_, err = touchmark.Decide(background, request, &place{failing: map[string]bool{digest: true}})
	fails(t, err, touchmark.ErrUnknown)
}

// cancelling is a place that ends the context at the first question.
type cancelling struct {
	place
	cancel context.CancelFunc
}

func (c *cancelling) Manifest(ctx context.Context, _ string, _ uint64) ([]byte, error) {
	c.cancel()
	return nil, ctx.Err()
}
