package touchmark_test

import (
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	touchmark "github.com/touchmark/touchmark/bindings/go"
)

// panics fails the test unless f panics because of a handle that is closed.
func panics(t *testing.T, name string, f func()) {
	t.Helper()
	defer func() {
		if said, _ := recover().(string); !strings.Contains(said, "touchmark: use of a handle that is closed") {
			t.Errorf("%s: %q", name, said)
		}
	}()
	f()
}

func TestAClosedHandlePanicsWhereItHasNoErrorToReturn(t *testing.T) {
	private, public := generate(t, touchmark.Ed25519)
	signer := touchmark.NewSigner(private)
	envelope, err := touchmark.SignManifest(background, manifest, touchmark.Claims{Issued: now}, signer)
	if err != nil {
		t.Fatal(err)
	}
	verified, err := envelope.Verify(1, public)
	if err != nil {
		t.Fatal(err)
	}
	policy, err := touchmark.NewPolicy([]*touchmark.PublicKey{public}, 1)
	if err != nil {
		t.Fatal(err)
	}
	document, err := envelope.JSON()
	if err != nil {
		t.Fatal(err)
	}
	artifact, err := touchmark.VerifyManifest(policy, manifest, [][]byte{document}, now)
	if err != nil {
		t.Fatal(err)
	}
	target, standing := found(t)
	getters := make(map[string]func())
	handles := []io.Closer{public, envelope, verified, artifact, target, standing}
	for _, each := range handles {
		of := reflect.ValueOf(each)
		for i := 0; i < of.NumMethod(); i++ {
			method := of.Method(i)
			if method.Type().NumIn() == 0 && method.Type().NumOut() == 1 && of.Type().Method(i).Name != "Close" {
				getters[of.Type().String()+"."+of.Type().Method(i).Name] = func() { method.Call(nil) }
			}
		}
	}
	if len(getters) != 17 {
		t.Fatal(len(getters), "getters")
	}
	for _, get := range getters {
		get()
	}
	for _, each := range handles {
		each.Close()
	}
	for name, get := range getters {
		panics(t, name, get)
	}
	panics(t, "a key that was never made", func() { new(touchmark.PublicKey).ID() })
	panics(t, "an artifact that was never made", func() { new(touchmark.VerifiedArtifact).Digest() })
}

// found is a target and a standing of the vectors.
func found(t *testing.T) (*touchmark.TUFTarget, *touchmark.Standing) {
	t.Helper()
	client, store, from := updating(t)
	look := func(name string) {
		t.Helper()
		if err := errors.Join(client.LookUp(name), client.Drive(background, from, store)); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.Drive(background, from, store); err != nil {
		t.Fatal(err)
	}
	look("file")
	target, err := client.Found()
	if err != nil {
		t.Fatal(err)
	}
	look("acme/x")
	standing, err := client.Standing("acme/x")
	if err != nil {
		t.Fatal(err)
	}
	return target, standing
}

// asking calls a function before a file of links is given.
type asking struct {
	links
	ask func()
}

func (a asking) File(ctx context.Context, path string, limit uint64) ([]byte, error) {
	a.ask()
	return a.links.File(ctx, path, limit)
}

// steps are what a driver takes one by one, and may be done by nobody else meanwhile.
var (
	chainSteps = map[string]func(*touchmark.SupplyChain) error{
		"Drive":          func(s *touchmark.SupplyChain) error { _, err := s.Drive(background, links("")); return err },
		"Next":           func(s *touchmark.SupplyChain) error { _, err := s.Next(); return err },
		"ProvideBytes":   func(s *touchmark.SupplyChain) error { return s.ProvideBytes([]byte("{}")) },
		"ProvideAbsent":  func(s *touchmark.SupplyChain) error { return s.ProvideAbsent() },
		"ProvideNames":   func(s *touchmark.SupplyChain) error { return s.ProvideNames(nil, true) },
		"ProvideFailure": func(s *touchmark.SupplyChain) error { return s.ProvideFailure(errors.New("away")) },
		"Finish":         func(s *touchmark.SupplyChain) error { _, err := s.Finish(); return err },
	}
	clientSteps = map[string]func(*touchmark.TUFClient) error{
		"Drive": func(c *touchmark.TUFClient) error {
			return c.Drive(background, touchmark.FetchFunc(nil), touchmark.MemoryStore{})
		},
		"Next":           func(c *touchmark.TUFClient) error { _, err := c.Next(); return err },
		"ProvideBytes":   func(c *touchmark.TUFClient) error { return c.ProvideBytes([]byte("{}")) },
		"ProvideAbsent":  func(c *touchmark.TUFClient) error { return c.ProvideAbsent() },
		"ProvideDone":    func(c *touchmark.TUFClient) error { return c.ProvideDone() },
		"ProvideFailure": func(c *touchmark.TUFClient) error { return c.ProvideFailure(errors.New("away")) },
		"LookUp":         func(c *touchmark.TUFClient) error { return c.LookUp("file") },
		"Found":          func(c *touchmark.TUFClient) error { _, err := c.Found(); return err },
		"Standing":       func(c *touchmark.TUFClient) error { _, err := c.Standing("acme/x"); return err },
		"State":          func(c *touchmark.TUFClient) error { _, err := c.State(); return err },
	}
)

// refused fails the test unless every step is refused for being taken by somebody else.
func refused[T any](t *testing.T, it T, steps map[string]func(T) error) {
	t.Helper()
	for name, step := range steps {
		var own *touchmark.Error
		if err := step(it); !errors.As(err, &own) || own.Status != touchmark.ErrWrongState || own.Message != "the handle is being used" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// golang is the supply chain of the vectors, and its links.
func golang(t *testing.T) (*touchmark.SupplyChain, links) {
	t.Helper()
	var c struct {
		Layout input
		Keys   []input
		Links  string
	}
	vector(t, "supply-chain-golang-dsse", &c)
	key, err := touchmark.ReadPublicKey(c.Keys[0].content)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := touchmark.NewSupplyChain(c.Layout.content, []*touchmark.PublicKey{key}, nil, now)
	if err != nil {
		t.Fatal(err)
	}
	return chain, links(c.Links)
}

// beside drives in another goroutine, and does what is to be done while the driver waits for its first file.
func beside(t *testing.T, drive func(ask func()) error, meanwhile func()) {
	t.Helper()
	asked, goOn, ended := make(chan struct{}, 1), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- drive(func() {
			select {
			case asked <- struct{}{}:
			default:
			}
			<-goOn
		})
	}()
	select {
	case <-asked:
		meanwhile()
	case err := <-ended:
		t.Fatal("it asked for nothing:", err)
	}
	close(goOn)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

func TestADriverHasTheSupplyChainUntilItEnds(t *testing.T) {
	chain, from := golang(t)
	drive := func(ask func()) error {
		_, err := chain.Drive(background, asking{from, ask})
		return err
	}
	beside(t, drive, func() { refused(t, chain, chainSteps) })
	// It is free again: the library refuses what comes too late.
	var own *touchmark.Error
	if err := chain.ProvideAbsent(); !errors.As(err, &own) || own.Status != touchmark.ErrWrongState || own.Message == "the handle is being used" {
		t.Fatal(err)
	}
}

func TestADriverHasTheClientUntilItEnds(t *testing.T) {
	client, store, from := updating(t)
	drive := func(ask func()) error {
		return client.Drive(background, touchmark.FetchFunc(func(ctx context.Context, path string, limit uint64) ([]byte, error) {
			ask()
			return from.Fetch(ctx, path, limit)
		}), store)
	}
	beside(t, drive, func() { refused(t, client, clientSteps) })
	if _, err := client.State(); err != nil {
		t.Fatal(err)
	}
}

func TestLinksMustNotUseTheSupplyChainThatAsksThem(t *testing.T) {
	chain, from := golang(t)
	asked := false
	_, err := chain.Drive(background, asking{from, func() {
		asked = true
		refused(t, chain, chainSteps)
	}})
	if err != nil || !asked {
		t.Fatal(err, asked)
	}
}

func TestADriverThatFailedLeavesTheSupplyChainToTheNext(t *testing.T) {
	chain, from := golang(t)
	ctx, cancel := context.WithCancel(background)
	_, err := chain.Drive(ctx, asking{from, cancel})
	fails(t, err, context.Canceled)
	func() {
		defer func() {
			if recover() != "no such thing" {
				t.Error("the panic is lost")
			}
		}()
		chain.Drive(background, asking{from, func() { panic("no such thing") }})
	}()
	if _, err := chain.Drive(background, from); err != nil {
		t.Fatal(err)
	}
}

func TestClosingTakesNothingFromADriver(t *testing.T) {
	chain, from := golang(t)
	if _, err := chain.Drive(background, asking{from, func() { chain.Close() }}); err != nil {
		t.Fatal(err)
	}
	_, err := chain.Drive(background, from)
	fails(t, err, touchmark.ErrNullPointer)
}
