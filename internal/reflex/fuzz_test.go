package reflex

import (
	"io/fs"
	"strings"
	"testing"
)

// configs are such as people keep; TestReadConfig has what each means.
var configs = []string{
	"-r '\\.go$' -s -- go run ./cmd/app\n",
	"# a comment\n\n-g '*.go' -G 'vendor/*' -- sh -c 'go build -o app . && ./app'\n-sr '\\.(css|js)$' echo {}\n",
	"-s -r '\\.go$' -- sh -c \"go build -tags dev \\\n  ./...\"\n",
	"--start-service --regex=\\.go$ --inverse-regex ^tmp/ --only-files --substitution=%% make %%\r\n",
	"--only-dirs -e -- ls\n", "-t 5s -s -- ./serve\n", "-r [ -- true\n", "-s\n", "'open\n", "\\\n", "-- \n",
	"-r a -- env A=b C='d e' go run -race -ldflags='-X main.v=1' . --addr :80\n",
}

// FuzzReadConfig reads what may stand in a config file: there is an error that
// names the file, or lines that can be matched, shown and run.
func FuzzReadConfig(f *testing.F) {
	for _, c := range configs {
		f.Add(c, "cmd/app/main.go")
	}
	flag := func(string) (bool, bool) { return false, false }
	f.Fuzz(func(t *testing.T, text, name string) {
		lines, err := ReadConfig(strings.NewReader(text), "reflex.conf")
		if err != nil {
			if !strings.Contains(err.Error(), "reflex.conf") {
				t.Errorf("the error does not name the file: %v", err)
			}
			return
		}
		for i := range lines {
			l := &lines[i]
			if len(l.Command) == 0 || l.Source == "" {
				t.Fatalf("entry %d has command %q and source %q", i, l.Command, l.Source)
			}
			if err := l.Check(); err != nil {
				t.Errorf("entry %d was taken and is refused: %v", i, err)
			}
			GoProgram(l.Command, flag)
			if words := l.Words(name); len(words) != len(l.Command) {
				t.Errorf("the command %q becomes %q", l.Command, words)
			}
			m, err := NewMatcher(l)
			if err != nil {
				continue
			}
			// A directory that is left out holds nothing that matches.
			for dir := name; fs.ValidPath(name) && m.Match(name); {
				cut := strings.LastIndexByte(dir, '/')
				if cut < 0 {
					break
				}
				if dir = dir[:cut]; m.Prunes(dir + "/") {
					t.Errorf("%s matches %q, but its directory %q is left out", l, name, dir)
				}
			}
		}
		// Entries share nothing, and comments mean nothing.
		more, err := ReadConfig(strings.NewReader("# first\n\n"+text+"\n -s -- true # x"), "reflex.conf")
		if err != nil || len(more) != len(lines)+1 {
			t.Fatalf("with one entry more there are %d instead of %d entries, %v", len(more), len(lines)+1, err)
		}
		for i := range lines {
			more[i].Source = lines[i].Source
			if lines[i].String() != more[i].String() {
				t.Errorf("entry %d is %s, and %s beside another", i, &lines[i], &more[i])
			}
		}
	})
}
