// Package conformance names the OCI distribution specification's own tests, so that go.mod keeps them.
package conformance

import _ "github.com/opencontainers/distribution-spec/conformance"
