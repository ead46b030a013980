// Hook is an image verifier as containerd calls it: a program in the folder `bin_dir` of its image-verifier plugin "bindir". It is given the
// reference and the digest of the image that is about to be pulled, and the image's descriptor on its input. It says on its output why it
// decides, and allows the pull by the exit status 0; every other status blocks it.
//
//	hook -name REFERENCE -digest DIGEST -stdin-media-type application/vnd.oci.descriptor.v1+json <DESCRIPTOR
//
// It contacts nobody. Images with their signatures are in OCI layouts of this machine, one for each repository, where `touchmark copy` brought
// them; a local policy says whose word counts. Both are named in /etc/touchmark/hook.json, or the file that TOUCHMARK_HOOK names:
//
//	{"layouts": "/var/lib/touchmark", "policy": "/etc/touchmark/policy.json"}
//
// The policy's rules are for references such as oci:/var/lib/touchmark/registry.example/acme/net-monitor:1.2.0@sha256:… Where one leaves it to a trust
// root, the policy that the trust repository signs itself must accept the image, too.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

	touchmark "github.com/touchmark/touchmark/bindings/go"
)

const (
	descriptorType = "application/vnd.oci.descriptor.v1+json"
	maxDescriptor  = 1 << 20
)

func main() {
	name := flag.String("name", "", "the reference of the image")
	digest := flag.String("digest", "", "its digest")
	mediaType := flag.String("stdin-media-type", "", "of what is on the input")
	flag.Parse()
	artifact, err := decide(*name, *digest, *mediaType, os.Stdin)
	if err != nil {
		fmt.Println(reason(err))
		os.Exit(1)
	}
	fmt.Printf("%s is verified", artifact.Digest())
	if signed := artifact.Name(); signed != "" {
		fmt.Printf(" as %s", signed)
	}
	fmt.Println()
}

// reason is what containerd logs. It tells what was refused from what could not be found out: only the latter is worth another try.
func reason(err error) string {
	if errors.Is(err, touchmark.ClassUnknown) {
		return "could not find out: " + err.Error()
	}
	return "refused: " + err.Error()
}

// descriptor is what is needed of the descriptor.
type descriptor struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest"`
	Size      uint64 `json:"size"`
}

func decide(name, digest, mediaType string, input io.Reader) (*touchmark.VerifiedArtifact, error) {
	if mediaType != descriptorType {
		return nil, fmt.Errorf("the input is %q, and no descriptor", mediaType)
	}
	var asked descriptor
	if err := json.NewDecoder(io.LimitReader(input, maxDescriptor)).Decode(&asked); err != nil {
		return nil, fmt.Errorf("the descriptor: %w", err)
	}
	if asked.Digest != digest {
		return nil, fmt.Errorf("the descriptor is of %s, and not of %s", asked.Digest, digest)
	}
	configured, err := configuration()
	if err != nil {
		return nil, err
	}
	reference, err := reference(configured.Layouts, name, digest)
	if err != nil {
		return nil, err
	}
	policy, err := touchmark.OpenPolicyFile(configured.Policy)
	if err != nil {
		return nil, err
	}
	defer policy.Close()
	source, err := touchmark.OpenSource(reference)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	artifact, err := policy.Verify(source, time.Now())
	if err != nil {
		return nil, err
	}
	// What is pulled is what the descriptor says; what was verified must be the same in all that it says.
	if artifact.Digest() != digest || artifact.Size() != asked.Size || artifact.MediaType() != asked.MediaType {
		return nil, fmt.Errorf("the descriptor does not describe %s, which was verified", artifact.Digest())
	}
	return artifact, nil
}

// reference is the image's place on this machine.
func reference(layouts, name, digest string) (string, error) {
	image, pinned, isPinned := strings.Cut(name, "@")
	if isPinned && pinned != digest {
		return "", fmt.Errorf("%s is not of the digest %s", name, digest)
	}
	if image == "" || path.Clean("/"+image) != "/"+image {
		return "", fmt.Errorf("%q is no reference of an image", name)
	}
	return "oci:" + layouts + "/" + image + "@" + digest, nil
}

type settings struct {
	Layouts string `json:"layouts"`
	Policy  string `json:"policy"`
}

func configuration() (settings, error) {
	file := os.Getenv("TOUCHMARK_HOOK")
	if file == "" {
		file = "/etc/touchmark/hook.json"
	}
	var all settings
	content, err := os.ReadFile(file)
	if err != nil {
		return all, err
	}
	if err := json.Unmarshal(content, &all); err != nil {
		return all, fmt.Errorf("%s: %w", file, err)
	}
	if !path.IsAbs(all.Layouts) || !path.IsAbs(all.Policy) {
		return all, fmt.Errorf("%s: both paths must be absolute", file)
	}
	return all, nil
}
