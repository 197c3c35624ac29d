//go:build stress

package link_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// stdPackages are packages of the standard library whose tests lean on what a
// linker makes: types, tracebacks, profiles, build info, the collector, FIPS.
const stdPackages = `reflect runtime/debug runtime/pprof runtime/trace runtime/metrics unique weak iter
sync sync/atomic time context errors fmt sort strings bytes bufio maps slices regexp math/big
os os/exec os/signal io/fs path/filepath net/http net/netip net/textproto testing
crypto/tls crypto/x509 crypto/internal/fips140test
encoding/json encoding/gob encoding/xml text/template html/template go/types database/sql
image/png compress/flate log/slog debug/gosym debug/buildinfo`

// TestStd runs the tests of the standard library linked by the incremental
// linker, with every package cold and with some of them hot.
//
//	go test -tags stress -run Std -timeout 1h ./link
func TestStd(t *testing.T) {
	tool := filepath.Join(t.TempDir(), "linkexec")
	if out, err := exec.Command("go", "build", "-o", tool, "./linktest/linkexec").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, tt := range []struct{ name, cgo, hot string }{
		{"cold", "0", ""},
		{"hot", "0", "encoding/gob,encoding/xml,encoding/json,text/,html/,go/,testing,image/,compress/,log/slog,database/,net/http/httptest"},
		{"cgo", "1", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log := filepath.Join(t.TempDir(), "log")
			args := []string{"test", "-p=1", "-count=1", "-short", "-vet=off", "-toolexec", tool + " " + log,
				// Of no effect but that links of the build cache are not used.
				"-ldflags=-compressdwarf=false"}
			cmd := exec.Command("go", append(args, strings.Fields(stdPackages)...)...)
			cmd.Env = append(os.Environ(), "GOFLAGS=", "CGO_ENABLED="+tt.cgo, "HR_LINKEXEC_HOT="+tt.hot)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			lines, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			ok := 0
			for line := range strings.Lines(string(lines)) {
				switch {
				case strings.HasPrefix(line, "ok "):
					ok++
				case strings.Contains(line, "internal/testpty has host objects"),
					strings.Contains(line, "is in the FIPS module but not in the standard library"):
					t.Log(line) // not supported, and said so
				default:
					t.Error(line)
				}
			}
			t.Logf("%d linked", ok)
		})
	}
}
