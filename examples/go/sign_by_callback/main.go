// Sign_by_callback signs an image of an OCI layout by a key that Touchmark never sees. Here crypto/ed25519 or crypto/ecdsa has it; a hardware
// token or a key management service is another crypto.Signer.
//
//	sign_by_callback KEY PUBLIC_KEY NAME IMAGE
package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"time"

	touchmark "github.com/touchmark/touchmark/bindings/go"
)

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: sign_by_callback KEY PUBLIC_KEY NAME IMAGE")
		os.Exit(2)
	}
	if err := sign(context.Background(), os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, "not signed:", err)
		os.Exit(1)
	}
	fmt.Println("signed", os.Args[4], "as", os.Args[3])
}

func sign(ctx context.Context, keyFile, publicFile, name, image string) error {
	key, err := read(keyFile)
	if err != nil {
		return err
	}
	signer, err := touchmark.NewCryptoSigner(key)
	if err != nil {
		return err
	}
	source, err := touchmark.OpenSource(image)
	if err != nil {
		return err
	}
	defer source.Close()
	manifest, err := source.Manifest()
	if err != nil {
		return err
	}
	envelope, err := touchmark.SignManifest(ctx, manifest, touchmark.Claims{Name: name, Issued: time.Now()}, signer)
	if err != nil {
		return err
	}
	defer envelope.Close()
	// Whoever relies on it has the public key from elsewhere: it is verified by that before it is published.
	document, err := os.ReadFile(publicFile)
	if err != nil {
		return err
	}
	public, err := touchmark.ReadPublicKey(document)
	if err != nil {
		return err
	}
	verified, err := envelope.Verify(1, public)
	if err != nil {
		return err
	}
	defer verified.Close()
	return source.Attach(envelope)
}

func read(file string) (crypto.Signer, error) {
	document, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(document)
	if block == nil {
		return nil, errors.New("no PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("the key does not sign")
	}
	return signer, nil
}
