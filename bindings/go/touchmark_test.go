package touchmark_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	touchmark "github.com/touchmark/touchmark/bindings/go"
)

// now is the time of the vectors.
var now = at(1795824000)

// manifest is one of an image without content.
var manifest = []byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.empty.v1+json",` +
	`"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}`)

// vector is the case of the vectors with this id.
func vector(t *testing.T, id string, into any) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(vectors, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var index struct{ Cases []json.RawMessage }
	if err := json.Unmarshal(content, &index); err != nil {
		t.Fatal(err)
	}
	for _, document := range index.Cases {
		var named struct{ ID string }
		if json.Unmarshal(document, &named) == nil && named.ID == id {
			if err := json.Unmarshal(document, into); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("there is no vector %s", id)
}

func generate(t *testing.T, algorithm touchmark.KeyAlgorithm) (*touchmark.PrivateKey, *touchmark.PublicKey) {
	t.Helper()
	private, err := touchmark.GenerateKey(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	public, err := private.Public()
	if err != nil {
		t.Fatal(err)
	}
	return private, public
}

// fails fails the test unless err is among the errors that are wanted.
func fails(t *testing.T, err error, wanted ...error) {
	t.Helper()
	for _, each := range wanted {
		if !errors.Is(err, each) {
			t.Fatalf("%v is not %v", err, each)
		}
	}
	var own *touchmark.Error
	if !errors.As(err, &own) || own.Message == "" {
		t.Fatalf("%#v is no error of the library", err)
	}
}

func TestVersions(t *testing.T) {
	if touchmark.Version() == "" || touchmark.ABIVersion() == 0 {
		t.Fatal("no version")
	}
	if all := touchmark.FeatureSign | touchmark.FeatureIO | touchmark.FeatureSupplyChain; touchmark.BuildFeatures()&all != all {
		t.Fatalf("features %b", touchmark.BuildFeatures())
	}
}

func TestStatusesHaveTheNamesOfTheLibrary(t *testing.T) {
	for status, name := range map[touchmark.Status]string{
		0: "OK", touchmark.ErrInvalidArgument: "INVALID_ARGUMENT", touchmark.ErrNullPointer: "NULL_POINTER",
		touchmark.ErrInvalidLength: "INVALID_LENGTH", touchmark.ErrInvalidUTF8: "INVALID_UTF8", touchmark.ErrInvalidTime: "INVALID_TIME",
		touchmark.ErrWrongState: "WRONG_STATE", touchmark.ErrInvalidKey: "INVALID_KEY", touchmark.ErrInvalidThreshold: "INVALID_THRESHOLD",
		touchmark.ErrWrongPassphrase: "WRONG_PASSPHRASE", touchmark.ErrInvalidName: "INVALID_NAME", touchmark.ErrInvalidDigest: "INVALID_DIGEST",
		touchmark.ErrInvalidReference: "INVALID_REFERENCE", touchmark.ErrUnsupported: "UNSUPPORTED", touchmark.ErrMalformed: "MALFORMED",
		touchmark.ErrMalformedJSON: "MALFORMED_JSON", touchmark.ErrMalformedEnvelope: "MALFORMED_ENVELOPE",
		touchmark.ErrMalformedKey: "MALFORMED_KEY", touchmark.ErrMalformedPolicy: "MALFORMED_POLICY", touchmark.ErrTooLarge: "TOO_LARGE",
		touchmark.ErrNotVerified: "NOT_VERIFIED", touchmark.ErrUnsigned: "UNSIGNED", touchmark.ErrBadSignature: "BAD_SIGNATURE",
		touchmark.ErrThresholdNotReached: "THRESHOLD_NOT_REACHED", touchmark.ErrUntrustedMetadata: "UNTRUSTED_METADATA",
		touchmark.ErrExpiredMetadata: "EXPIRED_METADATA", touchmark.ErrRollback: "ROLLBACK",
		touchmark.ErrSupplyChainNotVerified: "SUPPLY_CHAIN_NOT_VERIFIED", touchmark.ErrPolicyRejected: "POLICY_REJECTED",
		touchmark.ErrCallbackFailed: "CALLBACK_FAILED", touchmark.ErrUnknown: "UNKNOWN", touchmark.ErrNotFound: "NOT_FOUND",
		touchmark.ErrIO: "IO_ERROR", touchmark.ErrInternal: "INTERNAL", touchmark.ErrPanic: "PANIC",
	} {
		if status.String() != name {
			t.Errorf("%d is %s, not %s", uint32(status), status, name)
		}
	}
}

func TestErrorsAreTheirStatusAndTheirClassAndNoOther(t *testing.T) {
	_, err := touchmark.ParseEnvelope([]byte("no envelope"))
	fails(t, err, touchmark.ErrMalformedEnvelope, touchmark.ClassInput)
	if errors.Is(err, touchmark.ErrMalformed) || errors.Is(err, touchmark.ClassSignatures) {
		t.Fatal("it is another one too")
	}
	var own *touchmark.Error
	errors.As(err, &own)
	var document struct {
		Status        touchmark.Status
		Code, Message string
	}
	if err := json.Unmarshal(own.JSON, &document); err != nil || document.Code != own.Code || document.Message != own.Message {
		t.Fatalf("%s: %v", own.JSON, err)
	}
}

func TestKeysAreWrittenAndRead(t *testing.T) {
	for _, algorithm := range []touchmark.KeyAlgorithm{touchmark.Ed25519, touchmark.ECDSAP256} {
		private, public := generate(t, algorithm)
		plain, err := private.PEM()
		if err != nil {
			t.Fatal(err)
		}
		encrypted, err := private.EncryptedPEM([]byte("secret"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = touchmark.ReadPrivateKey(encrypted, []byte("other"))
		fails(t, err, touchmark.ErrWrongPassphrase)
		for _, read := range []struct{ document, passphrase []byte }{{plain, nil}, {encrypted, []byte("secret")}} {
			again, err := touchmark.ReadPrivateKey(read.document, read.passphrase)
			if err != nil {
				t.Fatal(err)
			}
			half, err := again.Public()
			if err != nil || half.ID() != public.ID() || half.Algorithm() != algorithm {
				t.Fatalf("another key: %v", err)
			}
		}
		pem, err := public.PEM()
		if err != nil {
			t.Fatal(err)
		}
		read, err := touchmark.ReadPublicKey(pem)
		if err != nil || read.ID() != public.ID() {
			t.Fatalf("another key: %v", err)
		}
		raw, err := touchmark.RawPublicKey(algorithm, public.Raw())
		if err != nil || raw.ID() != public.ID() {
			t.Fatalf("another key: %v", err)
		}
	}
}

func TestDigestsOfReaders(t *testing.T) {
	digest, size, err := touchmark.DigestReader(touchmark.SHA256, io.LimitReader(strings.NewReader("abcdef"), 3))
	if digest != "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" || size != 3 || err != nil {
		t.Fatal(digest, size, err)
	}
	hasher, err := touchmark.NewHasher(touchmark.SHA512)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hasher.Finish(); err != nil {
		t.Fatal(err)
	}
	_, err = hasher.Write([]byte("late"))
	fails(t, err, touchmark.ErrWrongState)
	_, err = touchmark.Digest(77, nil)
	fails(t, err, touchmark.ClassArgument)
}

func TestManifestsAreSignedAndVerified(t *testing.T) {
	alice, alicePublic := generate(t, touchmark.Ed25519)
	bob, bobPublic := generate(t, touchmark.ECDSAP256)
	claims := touchmark.Claims{
		Name: "acme/x:1", Annotations: map[string]string{"channel": "stable"}, Issued: now, Expires: now.Add(time.Hour),
	}
	envelope, err := touchmark.SignManifest(background, manifest, claims, touchmark.NewSigner(alice))
	if err != nil {
		t.Fatal(err)
	}
	if envelope, err = envelope.AddSignature(background, touchmark.NewSigner(bob)); err != nil {
		t.Fatal(err)
	}
	document, err := envelope.JSON()
	if err != nil {
		t.Fatal(err)
	}
	decide := func(at time.Time, threshold int, options ...touchmark.PolicyOption) (*touchmark.VerifiedArtifact, error) {
		policy, err := touchmark.NewPolicy([]*touchmark.PublicKey{alicePublic, bobPublic}, threshold, options...)
		if err != nil {
			return nil, err
		}
		return touchmark.VerifyManifest(policy, manifest, [][]byte{[]byte("{}"), document}, at)
	}
	artifact, err := decide(now, 2, touchmark.WithName("acme/x:1"), touchmark.WithAnnotation("channel", "stable"))
	if err != nil {
		t.Fatal(err)
	}
	digest, _ := touchmark.Digest(touchmark.SHA256, manifest)
	if artifact.Digest() != digest || artifact.Name() != "acme/x:1" || artifact.Size() != uint64(len(manifest)) || !bytes.Equal(artifact.Manifest(), manifest) {
		t.Fatalf("%s %s %d", artifact.Digest(), artifact.Name(), artifact.Size())
	}
	if report, err := artifact.JSON(); err != nil || !json.Valid(report) {
		t.Fatalf("%s %v", report, err)
	}
	_, err = decide(now.Add(2*time.Hour), 2)
	fails(t, err, touchmark.ErrNotVerified)
	_, err = decide(now, 2, touchmark.WithName("acme/y:1"))
	fails(t, err, touchmark.ErrNotVerified)
	_, err = decide(now, 2, touchmark.WithAnnotation("channel", "nightly"))
	fails(t, err, touchmark.ErrNotVerified)
	_, err = decide(time.Time{}, 2)
	fails(t, err, touchmark.ErrInvalidTime)
	for _, threshold := range []int{-1, 0, 3} {
		_, err = decide(now, threshold)
		fails(t, err, touchmark.ErrInvalidThreshold)
	}
	policy, _ := touchmark.NewPolicy([]*touchmark.PublicKey{alicePublic}, 1)
	_, err = touchmark.VerifyManifest(policy, manifest, nil, now)
	fails(t, err, touchmark.ErrUnsigned, touchmark.ClassSignatures)
}

func TestClosedHandlesAreRefused(t *testing.T) {
	private, public := generate(t, touchmark.Ed25519)
	envelope, err := touchmark.SignEnvelope(background, "text/plain", []byte("hello"), touchmark.NewSigner(private))
	if err != nil {
		t.Fatal(err)
	}
	verified, err := envelope.Verify(1, public)
	if err != nil {
		t.Fatal(err)
	}
	for _, each := range []io.Closer{private, public, envelope, envelope} {
		each.Close()
	}
	if string(verified.Payload()) != "hello" || len(verified.KeyIDs()) != 1 {
		t.Fatal("what was made from them is gone too")
	}
	_, err = envelope.Verify(1, public)
	fails(t, err, touchmark.ErrNullPointer)
	_, err = touchmark.SignEnvelope(background, "text/plain", nil, touchmark.NewSigner(private))
	fails(t, err, touchmark.ErrNullPointer)
	var zero touchmark.PublicKey
	fails(t, zero.Verify(nil, nil), touchmark.ErrNullPointer)
	_, err = envelope.Verify(1, nil)
	fails(t, err, touchmark.ErrNullPointer)
}

func TestHandlesAreUsedByManyGoroutinesWhileTheyAreClosed(t *testing.T) {
	private, public := generate(t, touchmark.Ed25519)
	envelope, err := touchmark.SignEnvelope(background, "text/plain", []byte("hello"), touchmark.NewSigner(private))
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := 0; i < 16; i++ {
		all.Add(1)
		go func(i int) {
			defer all.Done()
			for n := 0; n < 50; n++ {
				verified, err := envelope.Verify(1, public)
				if err != nil && !errors.Is(err, touchmark.ErrNullPointer) {
					t.Error(err)
				}
				if err == nil && len(verified.Payload()) == 0 {
					t.Error("no payload")
				}
			}
			if i == 7 {
				public.Close()
			}
		}(i)
	}
	all.Wait()
}

func TestWhatIsNotClosedIsFreed(t *testing.T) {
	private, _ := generate(t, touchmark.Ed25519)
	signed, err := touchmark.SignEnvelope(background, "text/plain", []byte("hello"), touchmark.NewSigner(private))
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := signed.JSON()
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < 2000; i++ {
		if _, err := touchmark.ParseEnvelope(envelope); err != nil {
			t.Fatal(err)
		}
		if i%500 == 0 {
			runtime.GC()
		}
	}
}

func TestSourcesAreVerifiedAndSigned(t *testing.T) {
	folder := t.TempDir()
	if err := copyFolder("../../testdata/layouts/signed", folder); err != nil {
		t.Fatal(err)
	}
	source, err := touchmark.OpenSource("oci:" + folder + ":unsigned")
	if err != nil {
		t.Fatal(err)
	}
	private, public := generate(t, touchmark.ECDSAP256)
	policy, err := touchmark.NewPolicy([]*touchmark.PublicKey{public}, 1)
	if err != nil {
		t.Fatal(err)
	}
	_, err = source.Verify(policy, now)
	fails(t, err, touchmark.ErrUnsigned)
	unsigned, err := source.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := touchmark.SignManifest(background, unsigned, touchmark.Claims{Issued: now}, touchmark.NewSigner(private))
	if err != nil {
		t.Fatal(err)
	}
	if err := source.Attach(envelope); err != nil {
		t.Fatal(err)
	}
	digest, err := source.Digest()
	if err != nil {
		t.Fatal(err)
	}
	request, err := touchmark.NewRequest(policy, digest, now, touchmark.Deep())
	if err != nil {
		t.Fatal(err)
	}
	for _, decide := range []func() (*touchmark.VerifiedArtifact, error){
		func() (*touchmark.VerifiedArtifact, error) { return source.Verify(policy, now) },
		func() (*touchmark.VerifiedArtifact, error) { return source.VerifyRequest(request) },
	} {
		if artifact, err := decide(); err != nil || artifact.Digest() != digest {
			t.Fatal(err)
		}
	}
	_, err = touchmark.OpenSource("oci:" + folder + "/nowhere:v1")
	fails(t, err, touchmark.ClassUnknown)
}

func copyFolder(from, to string) error {
	return filepath.Walk(from, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		relative, _ := filepath.Rel(from, path)
		if info.IsDir() {
			return os.MkdirAll(filepath.Join(to, relative), 0o755)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, relative), content, 0o644)
	})
}
