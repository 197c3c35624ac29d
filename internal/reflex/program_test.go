package reflex

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kballard/go-shellquote"
)

func testFlag(name string) (known, hasValue bool) {
	switch name {
	case "tags", "ldflags", "gcflags", "p":
		return true, true
	case "race", "x":
		return true, false
	}
	return false, false
}

func TestGoProgram(t *testing.T) {
	for _, tc := range []struct{ command, want string }{
		{`go run .`, `[] [] [.] []`},
		{`go run ./cmd/x`, `[] [] [./cmd/x] []`},
		{`go run -race -tags dev ./cmd/x -port 80`, `[] [-race -tags=dev] [./cmd/x] [-port 80]`},
		{`go run -v --tags=a,b . -- x`, `[] [-tags=a,b] [.] [-- x]`},
		{`go run main.go util.go serve`, `[] [] [main.go util.go] [serve]`},
		{`env A=1 B=2 go run .`, `[A=1 B=2] [] [.] []`},
		{`sh -c 'go run ./cmd/x'`, `[] [] [./cmd/x] []`},
		{`bash -euc 'PORT=8080 exec go run . a'`, `[PORT=8080] [] [.] [a]`},
		{`sh -c 'go build -o bin/x ./cmd/x && ./bin/x serve'`, `[] [] [./cmd/x] [serve]`},
		{`sh -c 'CGO_ENABLED=0 go build -o ./x . && A=1 exec ./x'`, `[CGO_ENABLED=0 A=1] [] [.] []`},
		{`sh -c 'go build -o /tmp/x && /tmp/x'`, `[] [] [] []`},
		{`sh -c "go build -ldflags '-s -w' -o=x ./cmd/x && ./x"`, `[] [-ldflags=-s -w] [./cmd/x] []`},
		{`sh -c 'go build ./cmd/x && ./x -v'`, `[] [] [./cmd/x] [-v] output x`},
		{`sh -c 'go build && ./app'`, `[] [] [] [] output app`},
		{`sh -c 'go build a.go b.go && ./a'`, `[] [] [a.go b.go] [] output a`},

		{`go test ./...`, ""},
		{`go run`, ""},
		{`go run -exec sudo .`, ""},
		{`go run -tags`, ""},
		{`go run example.com/x@latest`, ""},
		{`go run ./...`, ""},
		{`go build -o x .`, ""},
		{`sh -c 'go build -o x .'`, ""},
		{`sh -c 'go build -o x . && ./y'`, ""},
		{`sh -c 'go build -o x . && x'`, ""},
		{`sh -c 'go build ./... && ./x'`, ""},
		{`sh -c 'go build ./a ./b && ./a'`, ""},
		{`sh -c 'go build ./cmd/x && ./bin/x'`, ""},
		{`sh -c 'go build -o x . && ./x && echo done'`, ""},
		{`sh -c 'go generate && go run .'`, ""},
		{`sh -c 'go run . | tee log'`, ""},
		{`sh -c 'go run . > log'`, ""},
		{`sh -c 'go run . &'`, ""},
		{`sh -c 'cd x; go run .'`, ""},
		{`sh -c 'go run $PKG'`, ""},
		{`sh -c 'go run . a*'`, ""},
		{`sh -c 'go run . "open'`, ""},
		{`sh -lc 'go run .'`, ""},
		{`make run`, ""},
		{``, ""},
	} {
		t.Run(tc.command, func(t *testing.T) {
			words, err := shellquote.Split(tc.command)
			if err != nil && !strings.Contains(tc.command, "open") {
				t.Fatal(err)
			}
			p, ok := GoProgram(words, testFlag)
			got := ""
			if ok {
				got = fmt.Sprintf("%v %v %v %v", p.Env, p.Flags, p.Package, p.Args)
				if p.Output != "" {
					got += " output " + p.Output
				}
			}
			if got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}
