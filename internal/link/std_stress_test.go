//go:build stress

package link_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// otherStd are packages whose tests are left out or run in a form of their own:
// those of internal/trace take minutes in the trace parser, those of runtime are
// linked with debug information unless the go command is told otherwise.
var otherStd = []string{"internal/trace", "runtime"}

// stdPackages are packages whose tests lean on what a linker makes: types,
// tracebacks, profiles, build info, the collector, FIPS.
const stdPackages = `reflect runtime/debug runtime/pprof runtime/trace runtime/metrics unique weak iter
sync sync/atomic time context errors fmt sort strings bytes bufio maps slices regexp math/big
os os/exec os/signal os/user io/fs path/filepath net net/http net/netip net/textproto testing
crypto/tls crypto/x509 crypto/internal/fips140test
encoding/json encoding/gob encoding/xml text/template html/template go/types database/sql
image/png compress/flate log/slog debug/gosym debug/buildinfo`

// fewStd are those of them that differ most between versions of the toolchain.
const fewStd = `reflect runtime/debug runtime/pprof runtime/metrics unique weak sync time fmt
maps regexp math/big os/signal net/http crypto/tls crypto/internal/fips140test
encoding/json encoding/gob text/template html/template go/types log/slog debug/buildinfo`

// hotStd are path prefixes of packages that are placed as if under development.
const hotStd = "encoding/gob,encoding/xml,encoding/json,text/,html/,go/,testing,image/,compress/,log/slog,database/,net/http/httptest"

// TestStd runs the tests of the standard library linked by the incremental
// linker:
//
//	go test -tags stress -run 'TestStd$' -timeout 1h -v ./internal/link
func TestStd(t *testing.T) {
	linkexec := buildLinkexec(t)
	some := strings.Fields(stdPackages)
	for _, tt := range []struct {
		name string
		stdRun
	}{
		{"cold", stdRun{cgo: "0", packages: allStd(t)}},
		{"hot", stdRun{cgo: "0", packages: some, hot: hotStd}},
		{"cgo", stdRun{cgo: "1", packages: some}},
		// TestUnsafePoint reads the symbol table, which there is none of with -s.
		{"runtime", stdRun{cgo: "0", packages: []string{"runtime"}, flags: []string{"-ldflags=-s -w", "-skip=TestUnsafePoint"}}},
		{"collector", stdRun{cgo: "0", packages: strings.Fields("reflect sync fmt encoding/json encoding/gob text/template regexp net/http"),
			hot: hotStd, godebug: "gccheckmark=1,clobberfree=1"}},
		{"fips", stdRun{cgo: "0", packages: strings.Fields("crypto/aes crypto/cipher crypto/ecdsa crypto/hmac crypto/rsa crypto/sha256 crypto/sha512 crypto/tls crypto/x509 crypto/internal/fips140test"),
			godebug: "fips140=on"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.linkexec = linkexec
			tt.test(t)
		})
	}
}

// TestStdVersions does the same with the other toolchains that are supported, as
// far as they are at hand.
func TestStdVersions(t *testing.T) {
	linkexec := buildLinkexec(t)
	few := strings.Fields(fewStd)
	for _, version := range otherVersions {
		for _, tt := range []struct {
			name string
			stdRun
		}{
			{"cold", stdRun{packages: few, cgo: "0"}},
			{"hot", stdRun{packages: strings.Fields("reflect encoding/json encoding/gob text/template html/template go/types log/slog"), cgo: "0", hot: hotStd}},
			{"cgo", stdRun{packages: strings.Fields("os/user net net/http os/signal runtime/pprof"), cgo: "1"}},
		} {
			t.Run(version+"/"+tt.name, func(t *testing.T) {
				needToolchain(t, version)
				tt.linkexec, tt.toolchain = linkexec, version
				if version == "go1.27.0" && tt.hot != "" {
					// It expects the types of all modules in one order; there are
					// two, each sorted, which is what reflect's search needs.
					tt.flags = []string{"-skip=TestTypelinksSorted"}
				}
				tt.test(t)
			})
		}
	}
}

// allStd lists the packages of the standard library that have tests.
func allStd(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}", "std").Output()
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(strings.Fields(string(out)), func(p string) bool { return slices.Contains(otherStd, p) })
}
