// Verify_by_root verifies an image of an OCI layout by a trust root: by what its metadata says of the image's name, by the policy that its repository
// signs, if it has one, and by annotations that are asked for beside that.
//
//	verify_by_root ROOT METADATA STORE NAME IMAGE [ANNOTATION=VALUE...]
//
// ROOT is a trusted root.json, METADATA the folder or the URL of the trust repository's metadata, beside its targets, STORE a folder that this program
// keeps. It ends with 1 if the image is refused, with 2 if it could not be found out.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"time"

	touchmark "github.com/touchmark/touchmark/bindings/go"
)

func main() {
	if len(os.Args) < 6 {
		fmt.Fprintln(os.Stderr, "usage: verify_by_root ROOT METADATA STORE NAME IMAGE [ANNOTATION=VALUE...]")
		os.Exit(2)
	}
	// An interrupt ends an update that waits for a server.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	artifact, err := verify(ctx, os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5], os.Args[6:])
	switch {
	case err == nil:
		fmt.Printf("%s is %s\n", artifact.Name(), artifact.Digest())
	case errors.Is(err, touchmark.ClassUnknown), errors.Is(err, touchmark.ClassArgument), errors.Is(err, fs.ErrNotExist):
		fmt.Fprintln(os.Stderr, "could not find out:", err)
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
}

func verify(ctx context.Context, rootFile, metadata, store, name, image string, annotations []string) (*touchmark.VerifiedArtifact, error) {
	root, err := os.ReadFile(rootFile)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	trusted, err := open(ctx, root, metadata, store, now)
	if err != nil {
		return nil, err
	}
	defer trusted.Close()
	source, err := touchmark.OpenSource(image)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	artifact, err := trusted.Verify(ctx, source, name, now)
	if err != nil || len(annotations) == 0 {
		return artifact, err
	}
	return annotated(ctx, trusted, source, artifact, annotations, now)
}

// annotated verifies that what was verified has annotations that were signed, too.
func annotated(
	ctx context.Context, trusted *touchmark.TrustRoot, source *touchmark.Source, artifact *touchmark.VerifiedArtifact, annotations []string, now time.Time,
) (*touchmark.VerifiedArtifact, error) {
	standing, err := trusted.Standing(ctx, artifact.Name())
	if err != nil {
		return nil, err
	}
	defer standing.Close()
	var options []touchmark.PolicyOption
	for _, each := range annotations {
		key, value, _ := strings.Cut(each, "=")
		options = append(options, touchmark.WithAnnotation(key, value))
	}
	policy, err := touchmark.NewStandingPolicy(standing, options...)
	if err != nil {
		return nil, err
	}
	defer policy.Close()
	// By its digest: a tag may have been moved meanwhile.
	request, err := touchmark.NewRequest(policy, artifact.Digest(), now)
	if err != nil {
		return nil, err
	}
	defer request.Close()
	return source.VerifyRequest(request)
}

// open opens the trust repository of a server, or in a folder.
func open(ctx context.Context, root []byte, metadata, store string, now time.Time) (*touchmark.TrustRoot, error) {
	if !strings.HasPrefix(metadata, "http://") && !strings.HasPrefix(metadata, "https://") {
		return touchmark.OpenTrustRoot(root, metadata, store, now)
	}
	base, err := url.Parse(strings.TrimSuffix(metadata, "/") + "/")
	if err != nil {
		return nil, err
	}
	return touchmark.OpenTrustRootWith(ctx, root, server(base), server(base.JoinPath("../targets/")), store, now)
}

// server gets files below a URL.
func server(base *url.URL) touchmark.Fetcher {
	return touchmark.FetchFunc(func(ctx context.Context, path string, limit uint64) ([]byte, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, base.JoinPath(path).String(), nil)
		if err != nil {
			return nil, err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		switch response.StatusCode {
		case http.StatusOK:
			// One byte more than the limit tells the library that it is too long.
			return io.ReadAll(io.LimitReader(response.Body, int64(limit)+1))
		case http.StatusNotFound:
			return nil, fs.ErrNotExist
		}
		return nil, fmt.Errorf("%s: %s", request.URL, response.Status)
	})
}
