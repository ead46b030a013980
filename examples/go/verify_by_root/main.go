// Verify_by_root verifies an image of an OCI layout by what a trust root says of its name, and by what a policy asks for beside that.
//
//	verify_by_root ROOT METADATA STORE NAME IMAGE [ANNOTATION=VALUE...]
//
// ROOT is a trusted root.json, METADATA the folder or the URL of the trust repository's metadata, STORE a folder that this program keeps. It ends
// with 1 if the image is refused, with 2 if it could not be found out.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
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
	trusted, err := touchmark.OpenTrustRootWith(ctx, root, fetcher(metadata), nil, store, now)
	if err != nil {
		return nil, err
	}
	defer trusted.Close()
	standing, err := trusted.Standing(ctx, name)
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
	source, err := touchmark.OpenSource(image)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	return source.Verify(policy, now)
}

// fetcher gets metadata from a server, or from a folder.
func fetcher(from string) touchmark.Fetcher {
	if !strings.HasPrefix(from, "http://") && !strings.HasPrefix(from, "https://") {
		return touchmark.FetchFS(os.DirFS(from))
	}
	return touchmark.FetchFunc(func(ctx context.Context, path string, limit uint64) ([]byte, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(from, "/")+"/"+path, nil)
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
