package watch

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestScripts runs testdata/*.txt. A line is a command, or a comment after "# ".
//
//	mkdir DIR            mkdir -p
//	write FILE [TEXT]    create or truncate, write, close
//	open FILE [TEXT]     the same without the close
//	append FILE TEXT     write to a file of "open"
//	close FILE           close it
//	mv FROM TO           rename
//	rm PATH              rm -r
//	ln TARGET NAME       symbolic link
//	link OLD NEW         hard link
//	chmod MODE FILE, touch FILE
//	watch                begin to watch; before it nothing is reported
//	batch PATH...        exactly these paths come in one batch
//	sync PATH...         everything up to now is exactly these paths
//	sync-covers PATH...  everything up to now has at least these paths
//
// A script whose name ends in _linux.txt relies on inotify.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, script := range scripts {
		name := strings.TrimSuffix(filepath.Base(script), ".txt")
		t.Run(name, func(t *testing.T) {
			if strings.HasSuffix(name, "_linux") && runtime.GOOS != "linux" {
				t.Skip("needs events that only inotify has")
			}
			data, err := os.ReadFile(script)
			if err != nil {
				t.Fatal(err)
			}
			runScript(t, string(data))
		})
	}
}

func runScript(t *testing.T, text string) {
	f := &fixture{t: t, dir: realTemp(t)}
	open := map[string]*os.File{}
	defer func() {
		for _, o := range open {
			o.Close()
		}
	}()
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, line := range strings.Split(text, "\n") {
		args := strings.Fields(line)
		if len(args) == 0 || args[0] == "#" {
			continue
		}
		rest := strings.Join(args[1:], " ")
		content := ""
		if len(args) > 2 {
			content = strings.Join(args[2:], " ")
		}
		switch args[0] {
		case "mkdir":
			f.mkdir(args[1])
		case "write":
			f.write(args[1], content)
		case "open":
			o, err := os.Create(f.path(args[1]))
			check(err)
			open[args[1]] = o
			_, err = o.WriteString(content)
			check(err)
		case "append":
			_, err := open[args[1]].WriteString(content)
			check(err)
		case "close":
			check(open[args[1]].Close())
			delete(open, args[1])
		case "mv":
			f.rename(args[1], args[2])
		case "rm":
			f.remove(args[1])
		case "ln":
			check(os.Symlink(args[1], f.path(args[2])))
		case "link":
			check(os.Link(f.path(args[1]), f.path(args[2])))
		case "chmod":
			mode := map[string]os.FileMode{"600": 0o600, "644": 0o644, "755": 0o755}[args[1]]
			if mode == 0 {
				t.Fatalf("line %d: unknown mode", i+1)
			}
			check(os.Chmod(f.path(args[2]), mode))
		case "touch":
			past := time.Now().Add(-time.Hour)
			check(os.Chtimes(f.path(args[1]), past, past))
		case "watch":
			f = watchDir(t, f.dir, Options{})
		case "batch":
			if got := f.rel(f.next()); got != rest {
				t.Fatalf("line %d: batch is %q, want %q", i+1, got, rest)
			}
		case "sync":
			if got := f.rel(f.sync()); got != rest {
				t.Fatalf("line %d: all changes are %q, want %q", i+1, got, rest)
			}
		case "sync-covers":
			got := " " + f.rel(f.sync()) + " "
			for _, want := range args[1:] {
				if !strings.Contains(got, " "+want+" ") {
					t.Fatalf("line %d: changes are %q, %s is not among them", i+1, got, want)
				}
			}
		default:
			t.Fatalf("line %d: unknown command %q", i+1, args[0])
		}
	}
}
