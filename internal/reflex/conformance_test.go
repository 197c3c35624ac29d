//go:build linux

// The readiness of both programs is read from /proc, so this runs on Linux.

package reflex_test

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kballard/go-shellquote"
)

var full = flag.Bool("full", false, "run every scenario, and long random tests, against the real reflex")

// patience bounds waits that succeed at once when the code is right.
const patience = 20 * time.Second

// scenario is one row of the conformance table: both programs get the same
// files, flags and edits, and must print the same.
type scenario struct {
	name   string
	files  string // in the beginning; a name with a slash at its end is a directory
	flags  string // as a shell would split them
	config string // reflex.conf, if any
	stdin  string
	short  bool // belongs to the short form
	order  bool // the order of lines matters
	steps  []step
	// fails says that the command line is refused. Reflex exits with 1, hr
	// with 2, as it does for every command line that makes no sense.
	fails bool
	// failsDiff names the listed difference by which only hr refuses it.
	failsDiff string
}

// step is an edit and what is printed because of it, with | between lines.
type step struct {
	edit string // see do
	want string // of both
	ours string // of hr, where it is different; needs diff
	diff string // name of a listed difference
	wait time.Duration
}

// programs are built once for all tests.
type programs struct{ reflex, hr string }

var build = sync.OnceValues(func() (programs, error) {
	dir, err := os.MkdirTemp("", "hr-conformance")
	if err != nil {
		return programs{}, err
	}
	p := programs{filepath.Join(dir, "reflex"), filepath.Join(dir, "hr")}
	for path, pkg := range map[string]string{
		p.reflex: "github.com/cespare/reflex", p.hr: "github.com/hotreflex/hr/cmd/hr",
		filepath.Join(dir, "hrd"): "github.com/hotreflex/hr/cmd/hrd", // beside hr, for --no-daemon
	} {
		if out, err := exec.Command("go", "build", "-o", path, pkg).CombinedOutput(); err != nil {
			return p, fmt.Errorf("build %s: %w\n%s", pkg, err, out)
		}
	}
	return p, nil
})

func TestMain(m *testing.M) {
	flag.Parse()
	if !flagGiven("test.parallel") {
		// They wait for what does not come, most of the time.
		flag.Set("test.parallel", "6")
	}
	code := m.Run()
	if p, err := build(); err == nil {
		os.RemoveAll(filepath.Dir(p.hr))
	}
	os.Exit(code)
}

func flagGiven(name string) (given bool) {
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	return given
}

func built(t testing.TB) programs {
	t.Helper()
	p, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// side is one of the two programs.
type side struct {
	name  string
	path  string
	args  []string
	quiet time.Duration // after this long without a line there comes none
}

func sides(t testing.TB) []side {
	p := built(t)
	return []side{
		{"reflex", p.reflex, nil, 750 * time.Millisecond}, // its silence and the start of a command on a busy machine
		{"hr", p.hr, []string{"reflex"}, 350 * time.Millisecond},
	}
}

func TestConformance(t *testing.T) {
	names := map[string]bool{}
	for _, sc := range scenarios {
		if names[sc.name] {
			t.Errorf("two scenarios are called %q", sc.name)
		}
		names[sc.name] = true
		if (sc.failsDiff != "") != (differences[sc.failsDiff] != "") {
			t.Errorf("%s: %q is no listed difference", sc.name, sc.failsDiff)
		}
		for _, st := range sc.steps {
			if (st.diff != "") != (differences[st.diff] != "") {
				t.Errorf("%s: %q is no listed difference", sc.name, st.diff)
			}
		}
		if !*full && !sc.short {
			continue
		}
		for _, sd := range sides(t) {
			t.Run(sd.name+"/"+sc.name, func(t *testing.T) {
				t.Parallel()
				runScenario(t, sd, sc)
			})
		}
	}
	if len(scenarios) < 60 {
		t.Errorf("the table has %d scenarios", len(scenarios))
	}
}

// TestDifferencesAreDocumented wants each difference in the words of the table
// to stand in the documentation.
func TestDifferencesAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/coming-from.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(doc)), " ")
	for name, words := range differences {
		if !strings.Contains(text, words) {
			t.Errorf("docs/coming-from.md does not say of %q: %s", name, words)
		}
	}
}

func runScenario(t *testing.T, sd side, sc scenario) {
	dir := t.TempDir()
	for name := range strings.FieldsSeq(sc.files) {
		if err := makeFile(dir, name, "first\n"); err != nil {
			t.Fatal(err)
		}
	}
	flags, err := shellquote.Split(sc.flags)
	if err != nil {
		t.Fatal(err)
	}
	if sc.config != "" {
		// Outside of the tree, so that it is no change in it.
		conf := filepath.Join(t.TempDir(), "reflex.conf")
		if err := os.WriteFile(conf, []byte(sc.config), 0o644); err != nil {
			t.Fatal(err)
		}
		flags = append([]string{"-c", conf}, flags...)
	}
	w := begin(t, sd, dir, flags, sc.stdin)
	if sc.fails || sc.failsDiff != "" && sd.name == "hr" {
		w.refuses()
		return
	}
	w.awaitWatches()
	for i, st := range sc.steps {
		if err := w.do(st.edit); err != nil {
			t.Fatalf("step %d, %s: %v", i+1, st.edit, err)
		}
		want := st.want
		if sd.name == "hr" && st.diff != "" {
			want = st.ours
		}
		var lines []string
		if want != "" {
			lines = strings.Split(want, "|")
		}
		got := w.take(len(lines), st.wait)
		if !sc.order || sd.name == "reflex" { // whose own lines race with a command's last ones
			slices.Sort(lines)
			slices.Sort(got)
		}
		if !slices.Equal(got, lines) {
			t.Fatalf("step %d, %s:\ngot  %q\nwant %q\nstderr: %s", i+1, st.edit, got, lines, w.errors())
		}
	}
}

// watcherRun is a running reflex or hr.
type watcherRun struct {
	t    *testing.T
	sd   side
	dir  string
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended

	mu     sync.Mutex // guards fields below
	lines  []string
	last   time.Time // newest line
	stderr bytes.Buffer
}

// Write takes standard error.
func (w *watcherRun) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stderr.Write(p)
}

func (w *watcherRun) errors() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stderr.String()
}

func begin(t *testing.T, sd side, dir string, flags []string, stdin string) *watcherRun {
	t.Helper()
	w := &watcherRun{t: t, sd: sd, dir: dir, done: make(chan struct{})}
	w.cmd = exec.Command(sd.path, append(append([]string{}, sd.args...), flags...)...)
	w.cmd.Dir = dir
	w.cmd.Env = append(os.Environ(), "HR_RUNTIME_DIR="+filepath.Join(t.TempDir(), "run"), "HR_CACHE_DIR="+t.TempDir(), "PWD="+dir)
	w.cmd.Stdin = strings.NewReader(stdin)
	w.cmd.Stderr = w
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(w.done)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			w.mu.Lock()
			w.lines, w.last = append(w.lines, lines.Text()), time.Now()
			w.mu.Unlock()
		}
		w.cmd.Wait()
	}()
	t.Cleanup(func() {
		w.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-w.done:
		case <-time.After(patience):
			t.Errorf("%s does not end", sd.name)
			w.cmd.Process.Kill()
			<-w.done
		}
	})
	return w
}

// refuses wants the program to end before it watches.
func (w *watcherRun) refuses() {
	w.t.Helper()
	select {
	case <-w.done:
	case <-time.After(patience):
		w.t.Fatal("it does not refuse the flags")
	}
	want := map[string]int{"reflex": 1, "hr": 2}[w.sd.name]
	if got := w.cmd.ProcessState.ExitCode(); got != want {
		w.t.Errorf("exit code %d, want %d: %s", got, want, w.errors())
	}
	if w.errors() == "" {
		w.t.Error("it says nothing")
	}
}

var watchLine = regexp.MustCompile(`(?m)^inotify wd:`)

// watches counts the inotify watches of the program (proc_pid_fdinfo(5)).
func (w *watcherRun) watches() int {
	n := 0
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", w.cmd.Process.Pid))
	for _, f := range files {
		data, _ := os.ReadFile(f)
		n += len(watchLine.FindAll(data, -1))
	}
	return n
}

// awaitWatches returns when all watches are placed: their number has stopped
// to grow for as long as hundreds of directories take.
func (w *watcherRun) awaitWatches() {
	w.t.Helper()
	const step, still = 10 * time.Millisecond, 8
	deadline := time.Now().Add(patience)
	last, same := 0, 0
	for same < still {
		if n := w.watches(); n == last && n > 0 {
			same++
		} else {
			last, same = n, 0
		}
		select {
		case <-w.done:
			w.t.Fatalf("it has ended: %s", w.errors())
		case <-time.After(step):
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("it does not watch: %s", w.errors())
		}
	}
}

// take returns the lines that came since the last take: when there are n of
// them, or patience has ended, and then it has been quiet.
func (w *watcherRun) take(n int, wait time.Duration) []string {
	begin := time.Now()
	quiet := max(w.sd.quiet, wait)
	for {
		w.mu.Lock()
		got, last := len(w.lines), w.last
		w.mu.Unlock()
		if last.Before(begin) {
			last = begin
		}
		still := time.Since(last) > quiet
		if still && (got >= n || time.Since(begin) > patience/2) {
			break
		}
		<-time.After(10 * time.Millisecond)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var lines []string
	for _, line := range w.lines {
		// Reflex types Ctrl-C at a service's terminal, which echoes it: a listed
		// difference.
		if plain := strings.Replace(line, "^C", "", 1); plain == line || w.sd.name != "reflex" {
			lines = append(lines, line)
		} else if plain != "[00] " {
			lines = append(lines, plain)
		}
	}
	w.lines = nil
	return lines
}

// do carries out the commands of an edit, which ; separates:
//
//	write F [TEXT]   create or truncate, write, close
//	append F         add a line
//	save F           write another file and rename it to F
//	rm P  mv A B  mkdir D  touch F  chmod MODE F  ln TARGET NAME  link OLD NEW
//	pause MS         between two edits
//	signal NAME      to the program
//
// %20 in a name is a space.
func (w *watcherRun) do(edit string) error {
	for command := range strings.SplitSeq(edit, ";") {
		args := strings.Fields(command)
		if len(args) == 0 {
			continue
		}
		for i := range args[1:] {
			args[i+1] = strings.ReplaceAll(args[i+1], "%20", " ")
		}
		path := func(i int) string { return filepath.Join(w.dir, args[i]) }
		var err error
		switch args[0] {
		case "write":
			err = makeFile(w.dir, args[1], strings.Join(args[2:], " ")+time.Now().String())
		case "append":
			var f *os.File
			if f, err = os.OpenFile(path(1), os.O_APPEND|os.O_WRONLY, 0); err == nil {
				_, err = f.WriteString("more\n")
				f.Close()
			}
		case "save":
			temp := filepath.Join(filepath.Dir(path(1)), "."+filepath.Base(path(1))+".swp")
			if err = os.WriteFile(temp, []byte(time.Now().String()), 0o644); err == nil {
				err = os.Rename(temp, path(1))
			}
		case "rm":
			err = os.RemoveAll(path(1))
		case "mv":
			err = os.Rename(path(1), path(2))
		case "mkdir":
			err = os.MkdirAll(path(1), 0o755)
		case "touch":
			err = exec.Command("touch", path(1)).Run()
		case "chmod":
			err = exec.Command("chmod", args[1], path(2)).Run()
		case "ln":
			err = os.Symlink(args[1], path(2))
		case "link":
			err = os.Link(path(1), path(2))
		case "pause":
			d, perr := time.ParseDuration(args[1] + "ms")
			err = perr
			<-time.After(d)
		case "signal":
			err = w.cmd.Process.Signal(map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT}[args[1]])
		default:
			err = fmt.Errorf("unknown edit %q", args[0])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func makeFile(dir, name, text string) error {
	path := filepath.Join(dir, name)
	if strings.HasSuffix(name, "/") {
		return os.MkdirAll(path, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o644)
}
