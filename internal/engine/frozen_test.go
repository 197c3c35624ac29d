package engine_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hotreflex/hr/internal/engine"
	"github.com/hotreflex/hr/internal/order"
)

// TestInputsThatMove builds while a log that is embedded and a source file are
// written all the time. Each build must end, and its artifact be that of go build
// with the very files that the snapshot names.
func TestInputsThatMove(t *testing.T) {
	for _, flags := range [][]string{{"-buildvcs=false"}, {"-buildvcs=false", "-trimpath"}} {
		t.Run(strings.Join(flags, " "), func(t *testing.T) {
			e := newEngine(t)
			job := order.Job{Env: append(testEnv(), "GOWORK="), Linker: "go", Package: []string{"."}, Flags: flags}
			job.Dir = extract(t, "testdata/machines.txtar")
			log, leaf := filepath.Join(job.Dir, "app.log"), filepath.Join(job.Dir, "leaf", "leaf.go")
			write := func(path, text string) {
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Error(err)
				}
			}
			write(filepath.Join(job.Dir, "log.go"), "package main\n\nimport _ \"embed\"\n\n//go:embed app.log\nvar appLog string\n\nfunc init() { println(len(appLog)) }\n")
			write(log, "begin\n")
			source, err := os.ReadFile(leaf)
			if err != nil {
				t.Fatal(err)
			}
			// No content comes twice, in this run or another: what the go command
			// compiled of a file that it hashed a moment before stays in its cache
			// under the name of the content before.
			base := int(time.Now().UnixMicro() % 1e15)
			logs := func(i int) string { return strings.Repeat(fmt.Sprintf("line %d\n", base+i), 300) }
			leaves := func(i int) string { return strings.Replace(string(source), "n + 1", fmt.Sprintf("n + %d", base+i), 1) }

			ctx, stop := context.WithCancel(context.Background())
			var wg sync.WaitGroup
			wg.Go(func() {
				tick := time.NewTicker(3 * time.Millisecond) // far shorter than a compile
				defer tick.Stop()
				for i := 0; ; i++ {
					select {
					case <-tick.C:
						write(log+".new", logs(i))
						os.Rename(log+".new", log)
						if i%8 == 0 {
							write(leaf+".new", leaves(i))
							os.Rename(leaf+".new", leaf)
						}
					case <-ctx.Done():
						return
					}
				}
			})
			target, err := e.Resolve(ctx, job)
			if err != nil {
				t.Fatal(err)
			}
			var prog *engine.Program
			for range 3 {
				prog, _, err = e.Build(context.Background(), target, prog, engine.Hooks{})
				if err != nil {
					break
				}
			}
			stop()
			wg.Wait()
			if err != nil {
				t.Fatal(err)
			}
			// Put on disk what the snapshot says that the program is made of.
			for path, text := range map[string]func(int) string{log: logs, leaf: leaves} {
				hash := prog.Snap.File(path).Hash
				for i := 0; ; i++ {
					if sha(text(i)) == hash {
						write(path, text(i))
						break
					}
					if i > 100_000 {
						t.Fatalf("%s: the snapshot names a content that it never had", path)
					}
				}
			}
			want := filepath.Join(t.TempDir(), "want")
			if text, err := goBuild(job, want); err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			sameAs(t, prog.Artifact.Path, want, "with the files that the snapshot names")
		})
	}
}

func sha(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
