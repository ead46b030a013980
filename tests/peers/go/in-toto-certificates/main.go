// in-toto-certificates makes the supply chain of testdata/in-toto/golang-x509 anew, in the folder that is its argument: a layout whose steps are
// done by functionaries with certificates (ITE-7), and their links. It ends with an error unless in-toto-golang verifies it.
package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	intoto "github.com/in-toto/in-toto-golang/in_toto"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func encoded(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// key is a private key as the library has it.
func key(private crypto.Signer) intoto.Key {
	block := pem.Block{Type: "PRIVATE KEY"}
	if key, ok := private.(*rsa.PrivateKey); ok {
		block = pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	} else {
		der, err := x509.MarshalPKCS8PrivateKey(private)
		check(err)
		block.Bytes = der
	}
	var key intoto.Key
	check(key.LoadKeyReaderDefaults(bytes.NewReader(pem.EncodeToMemory(&block))))
	return key
}

// authority is one that issues certificates.
type authority struct {
	certificate *x509.Certificate
	private     crypto.Signer
	pem         []byte
}

var serial = big.NewInt(1)

// issue makes a certificate of 2026 to 2036 for a key. Without an issuer it is one of its own.
func issue(template x509.Certificate, private crypto.Signer, issuer *authority) *authority {
	serial = new(big.Int).Add(serial, big.NewInt(1))
	template.SerialNumber = serial
	template.NotBefore = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	template.NotAfter = time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC)
	template.BasicConstraintsValid = true
	parent, by := &template, private
	if issuer != nil {
		parent, by = issuer.certificate, issuer.private
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, parent, private.Public(), by)
	check(err)
	certificate, err := x509.ParseCertificate(der)
	check(err)
	return &authority{certificate, private, encoded("CERTIFICATE", der)}
}

// listed is an authority as layouts list it.
func (a *authority) listed() map[string]intoto.Key {
	var key intoto.Key
	check(key.LoadKeyReaderDefaults(bytes.NewReader(a.pem)))
	return map[string]intoto.Key{key.KeyID: key}
}

func step(name string, materials, products [][]string, constraint intoto.CertificateConstraint) intoto.Step {
	item := intoto.SupplyChainItem{Name: name, ExpectedMaterials: materials, ExpectedProducts: products}
	constraints := []intoto.CertificateConstraint{constraint}
	return intoto.Step{Type: "step", PubKeys: []string{}, CertificateConstraints: constraints, Threshold: 1, SupplyChainItem: item}
}

func main() {
	folder := os.Args[1]
	_, owner, err := ed25519.GenerateKey(rand.Reader)
	check(err)
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	large, err := rsa.GenerateKey(rand.Reader, 2048)
	check(err)
	upper, err := rsa.GenerateKey(rand.Reader, 2048)
	check(err)
	lower, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	check(err)

	ca := x509.Certificate{IsCA: true, KeyUsage: x509.KeyUsageCertSign}
	ca.Subject = pkix.Name{CommonName: "root", Organization: []string{"Example"}}
	root := issue(ca, upper, nil)
	ca.Subject.CommonName = "below the root"
	between := issue(ca, lower, root)
	builder := x509.Certificate{Subject: pkix.Name{CommonName: "builder"}, KeyUsage: x509.KeyUsageDigitalSignature}
	spiffe, err := url.Parse("spiffe://example.com/builder")
	check(err)
	builder.URIs = []*url.URL{spiffe}
	// What certificates of SPIRE are for.
	builder.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	packager := x509.Certificate{Subject: pkix.Name{CommonName: "packager", Organization: []string{"Example", "Example Packages"}}}
	packager.EmailAddresses = []string{"packager@example.com"}

	roots := root.listed()
	ids := []string{}
	for id := range roots {
		ids = append(ids, id)
	}
	any, none := []string{"*"}, []string{}
	app := intoto.HashObj{"sha256": strings.Repeat("61", 32)}
	layout := intoto.Layout{
		Type: "layout", Expires: "2035-01-01T00:00:00Z", Readme: "", Keys: map[string]intoto.Key{},
		RootCas: roots, IntermediateCas: between.listed(), Inspect: []intoto.Inspection{},
		Steps: []intoto.Step{
			step("build", [][]string{}, [][]string{{"CREATE", "app"}, {"DISALLOW", "*"}}, intoto.CertificateConstraint{
				CommonName: "builder", DNSNames: none, Emails: none, Organizations: none, Roots: ids, URIs: []string{spiffe.String()},
			}),
			step("package", [][]string{{"MATCH", "*", "WITH", "PRODUCTS", "FROM", "build"}, {"DISALLOW", "*"}}, [][]string{}, intoto.CertificateConstraint{
				CommonName: "packager", DNSNames: any, Emails: packager.EmailAddresses, Organizations: packager.Subject.Organization, Roots: any, URIs: none,
			}),
		},
	}
	ownerKey := key(owner)
	signed := intoto.Metablock{Signed: layout}
	check(signed.Sign(ownerKey))
	check(signed.Dump(filepath.Join(folder, "root.layout")))
	der, err := x509.MarshalPKIXPublicKey(owner.Public())
	check(err)
	check(os.WriteFile(filepath.Join(folder, "owner.pub"), encoded("PUBLIC KEY", der), 0o644))

	links := []intoto.Link{
		{Type: "link", Name: "build", Command: []string{}, Materials: map[string]intoto.HashObj{}, Products: map[string]intoto.HashObj{"app": app}},
		{Type: "link", Name: "package", Command: []string{}, Materials: map[string]intoto.HashObj{"app": app}, Products: map[string]intoto.HashObj{}},
	}
	signers := []*authority{issue(builder, p256, between), issue(packager, large, root)}
	for number, link := range links {
		link.ByProducts, link.Environment = map[string]interface{}{"return-value": float64(0)}, map[string]interface{}{}
		functionary := key(signers[number].private)
		functionary.KeyVal.Certificate = string(signers[number].pem)
		block := intoto.Metablock{Signed: link}
		check(block.Sign(functionary))
		check(block.Dump(filepath.Join(folder, fmt.Sprintf(intoto.LinkNameFormat, link.Name, functionary.KeyID))))
	}

	metadata, err := intoto.LoadMetadata(filepath.Join(folder, "root.layout"))
	check(err)
	public := ownerKey
	public.KeyVal.Private = ""
	_, err = intoto.InTotoVerify(metadata, map[string]intoto.Key{public.KeyID: public}, folder, "", nil, nil, false)
	check(err)
}
