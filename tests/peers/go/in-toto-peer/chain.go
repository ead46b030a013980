package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	intoto "github.com/in-toto/in-toto-golang/in_toto"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"github.com/secure-systems-lab/go-securesystemslib/signerverifier"
)

// made is a new key with its private part: of Ed25519, P-256 or RSA.
func made(kind string) intoto.Key {
	block := pem.Block{Type: "PRIVATE KEY"}
	var private any
	var err error
	switch kind {
	case "ed25519":
		_, private, err = ed25519.GenerateKey(rand.Reader)
	case "ecdsa":
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	default:
		var key *rsa.PrivateKey
		key, err = rsa.GenerateKey(rand.Reader, 2048)
		// The library writes it under this name whatever it was read from.
		block = pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	}
	check(err)
	if block.Bytes == nil {
		block.Bytes, err = x509.MarshalPKCS8PrivateKey(private)
		check(err)
	}
	var key intoto.Key
	check(key.LoadKeyReaderDefaults(bytes.NewReader(pem.EncodeToMemory(&block))))
	return key
}

func public(key intoto.Key) intoto.Key {
	key.KeyVal.Private = ""
	return key
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func rules(lines ...string) [][]string {
	rules := [][]string{}
	for _, line := range lines {
		rules = append(rules, strings.Split(line, " "))
	}
	return rules
}

func step(name string, by []intoto.Key, materials, products [][]string) intoto.Step {
	ids := []string{}
	for _, key := range by {
		ids = append(ids, key.KeyID)
	}
	item := intoto.SupplyChainItem{Name: name, ExpectedMaterials: materials, ExpectedProducts: products}
	return intoto.Step{Type: "step", PubKeys: ids, ExpectedCommand: []string{}, Threshold: len(by), SupplyChainItem: item}
}

// maker writes what the keys sign into a folder, and does steps in another.
type maker struct {
	folder, form string
}

func (maker maker) layout(path, expires string, keys []intoto.Key, steps []intoto.Step, inspect []intoto.Inspection, by intoto.Key) {
	listed := map[string]intoto.Key{}
	for _, key := range keys {
		listed[key.KeyID] = public(key)
	}
	layout := intoto.Layout{Type: "layout", Steps: steps, Inspect: inspect, Keys: listed, Expires: expires}
	path = filepath.Join(maker.folder, path)
	var document intoto.Metadata = &intoto.Metablock{Signed: layout}
	switch maker.form {
	case "dsse":
		text, err := json.MarshalIndent(enveloped(layout, by), "", "  ")
		check(err)
		check(os.WriteFile(path, text, 0o666))
		return
	case "dsse-by-library":
		envelope := &intoto.Envelope{}
		check(envelope.SetPayload(layout))
		document = envelope
	}
	check(document.Sign(by))
	check(document.Dump(path))
}

// enveloped is a layout as JSON in DSSE. What the library itself puts into an envelope is canonical JSON, in which the line ends of PEM stand as
// they are, so that it is no JSON and nobody, it neither, reads it again.
func enveloped(layout intoto.Layout, by intoto.Key) *dsse.Envelope {
	var signer dsse.SignerVerifier
	var err error
	key := signerverifier.SSLibKey{KeyType: by.KeyType, KeyID: by.KeyID, Scheme: by.Scheme}
	key.KeyVal.Public, key.KeyVal.Private = by.KeyVal.Public, by.KeyVal.Private
	switch by.KeyType {
	case signerverifier.ED25519KeyType:
		signer, err = signerverifier.NewED25519SignerVerifierFromSSLibKey(&key)
	case signerverifier.ECDSAKeyType:
		signer, err = signerverifier.NewECDSASignerVerifierFromSSLibKey(&key)
	default:
		signer, err = signerverifier.NewRSAPSSSignerVerifierFromSSLibKey(&key)
	}
	check(err)
	envelopes, err := dsse.NewEnvelopeSigner(signer)
	check(err)
	text, err := json.Marshal(layout)
	check(err)
	envelope, err := envelopes.SignPayload(context.Background(), intoto.PayloadType, text)
	check(err)
	return envelope
}

func (maker maker) link(folder, name string, materials, products, stripped, command []string, by intoto.Key) {
	document, err := intoto.InTotoRun(name, "", materials, products, command, by, []string{"sha256"}, nil, stripped, false, false, maker.form != "legacy")
	check(err)
	check(document.Dump(filepath.Join(maker.folder, folder, fmt.Sprintf(intoto.LinkNameFormat, name, by.KeyID))))
}

// makeChain makes a supply chain with everything that the library writes: clone by an Ed25519 key, whose owner has it done by two others;
// build by a P-256 and an Ed25519 key; package by an RSA key. What comes of it is in `final`, and the public key of its owner in `owner.pub`.
func makeChain(asked request) (owner intoto.Key, err error) {
	defer func() {
		if said := recover(); said != nil {
			err = fmt.Errorf("make: %v", said)
		}
	}()
	maker := maker{asked.Folder, asked.Form}
	owner, cloner, fetcher, patcher := made("ecdsa"), made("ed25519"), made("ecdsa"), made("ed25519")
	builder, tester, packager := made("ecdsa"), made("ed25519"), made("rsa")
	expires := asked.Expires
	if expires == "" {
		expires = "2030-01-01T00:00:00Z"
	}
	final := rules("MATCH app.tar WITH PRODUCTS FROM package", "DISALLOW *")
	inspection := intoto.Inspection{Type: "inspection", Run: []string{"true"},
		SupplyChainItem: intoto.SupplyChainItem{Name: "product", ExpectedMaterials: final, ExpectedProducts: final}}
	maker.layout("root.layout", expires, []intoto.Key{cloner, builder, tester, packager}, []intoto.Step{
		step("clone", []intoto.Key{cloner}, rules("DISALLOW *"), rules("CREATE src/*", "DISALLOW *")),
		step("build", []intoto.Key{builder, tester}, rules("MATCH src/* WITH PRODUCTS FROM clone", "DISALLOW *"),
			rules("CREATE out/app", "ALLOW src/*", "DISALLOW *")),
		step("package", []intoto.Key{packager}, rules("MATCH app WITH PRODUCTS IN out FROM build", "DISALLOW *"),
			rules("CREATE app.tar", "ALLOW app", "DISALLOW *")),
	}, []intoto.Inspection{inspection}, owner)

	work := filepath.Join(maker.folder, "work")
	check(os.MkdirAll(filepath.Join(work, "upstream", "sub"), 0o777))
	check(os.Mkdir(filepath.Join(work, "out"), 0o777))
	for _, name := range []string{"a.c", "sub/\u00e9 <&> [x].c"} {
		check(os.WriteFile(filepath.Join(work, "upstream", name), []byte(name), 0o666))
	}
	check(os.Chdir(work))
	inside := fmt.Sprintf("clone.%.8s", cloner.KeyID)
	check(os.Mkdir(filepath.Join(maker.folder, inside), 0o777))
	maker.layout(inside+".link", expires, []intoto.Key{fetcher, patcher}, []intoto.Step{
		step("fetch", []intoto.Key{fetcher}, rules("DISALLOW *"), rules("CREATE *", "DISALLOW *")),
		step("patch", []intoto.Key{patcher}, rules("MATCH * WITH PRODUCTS FROM fetch", "DISALLOW *"),
			rules("MODIFY src/a.c", "ALLOW src/*", "DISALLOW *")),
	}, []intoto.Inspection{}, cloner)
	maker.link(inside, "fetch", nil, []string{"src"}, nil, []string{"cp", "-r", "upstream", "src"}, fetcher)
	maker.link(inside, "patch", []string{"src"}, []string{"src"}, nil, []string{"sh", "-c", "echo patched >>src/a.c"}, patcher)
	if asked.Between != "" {
		check(os.WriteFile("src/a.c", []byte(asked.Between), 0o666))
	}
	maker.link("", "build", []string{"src"}, []string{"src", "out"}, nil, []string{"cp", "src/a.c", "out/app"}, builder)
	maker.link("", "build", []string{"src"}, []string{"src", "out"}, nil, []string{"cp", "src/a.c", "out/app"}, tester)
	by := packager
	if asked.PackageBy == "tester" {
		by = tester
	}
	stripped := []string{"out/"}
	maker.link("", "package", []string{"out"}, []string{"out", "app.tar"}, stripped, []string{"tar", "cf", "app.tar", "-C", "out", "app"}, by)
	check(os.Mkdir(filepath.Join(maker.folder, "final"), 0o777))
	check(os.Rename("app.tar", filepath.Join(maker.folder, "final", "app.tar")))
	check(os.WriteFile(filepath.Join(maker.folder, "owner.pub"), []byte(owner.KeyVal.Public+"\n"), 0o666))
	return public(owner), nil
}
