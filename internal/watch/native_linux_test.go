package watch

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// gate stops the native reader between two reads.
type gate struct{ mu sync.Mutex }

func (g *gate) pass() { g.mu.Lock(); g.mu.Unlock() } //lint:ignore SA2001 waits for the holder

// TestOverflow is row 1 of the fault matrix: the reader sleeps while more
// changes than the kernel's queue holds are made.
func TestOverflow(t *testing.T) {
	limit := sysctl("max_queued_events")
	if limit == 0 || limit > 1<<17 {
		t.Skipf("the queue of this kernel holds %d events, too many to fill in a test", limit)
	}
	var g gate
	f := newFixture(t, Options{seams: seams{beforeRead: g.pass}})
	f.mkdir("old")
	f.write("old/x.go", "one")
	f.sync()
	g.mu.Lock()
	f.write("wake", "") // the reader comes back from its read and stops at the gate
	f.mkdir("new/deep")
	for i := range limit/2 + 1000 { // create, modify, close: more than one event each
		f.write(fmt.Sprintf("old/f%d", i%1000), "x")
	}
	f.rename("old", "moved")
	f.write("new/deep/late.go", "one")
	g.mu.Unlock()
	f.until(func(b Batch) bool { return b.Rescan })
	if !f.logged("too many changes") {
		t.Error("no notice")
	}
	f.sync()
	// Watches are true again, also for what was made or moved meanwhile.
	f.write("new/deep/late.go", "two")
	f.write("moved/x.go", "two")
	if got := f.rel(f.sync()); got != "moved/x.go new/deep/late.go" {
		t.Errorf("after the overflow: %q", got)
	}
}

// TestSyncDuringOverflow: the answer to a barrier may be among what was lost.
func TestSyncDuringOverflow(t *testing.T) {
	limit := sysctl("max_queued_events")
	if limit == 0 || limit > 1<<17 {
		t.Skipf("the queue of this kernel holds %d events, too many to fill in a test", limit)
	}
	var g gate
	f := newFixture(t, Options{seams: seams{beforeRead: g.pass}})
	f.write("x.go", "")
	f.sync()
	g.mu.Lock()
	for i := range limit/2 + 1000 {
		f.write(fmt.Sprintf("f%d", i%1000), "x")
	}
	time.AfterFunc(10*time.Millisecond, g.mu.Unlock)
	if b := f.sync(); !b.Rescan {
		t.Errorf("sync over an overflow gave %+v", len(b.Paths))
	}
}

// TestNoWatchLeft is row 2.
func TestNoWatchLeft(t *testing.T) {
	full := func(dir string) error {
		if strings.Contains(dir, "big") {
			return unix.ENOSPC
		}
		return nil
	}
	dir := realTemp(t)
	if err := os.MkdirAll(filepath.Join(dir, "big/sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	f := watchDir(t, dir, Options{seams: seams{addWatch: full}})
	if !f.logged("fs.inotify.max_user_watches=") {
		t.Errorf("no advice in %q", f.lines)
	}
	f.write("big/sub/x.go", "one")
	f.until(func(b Batch) bool { return strings.Contains(f.rel(b), "big/sub/x.go") })
	f.write("y.go", "one")
	f.until(func(b Batch) bool { return strings.Contains(f.rel(b), "y.go") })
	f.mkdir("bigger/sub") // a new directory that does not get a watch either
	f.write("bigger/sub/z.go", "one")
	f.until(func(b Batch) bool { return strings.Contains(f.rel(b), "bigger/sub/z.go") })
}

func TestNoInstanceLeft(t *testing.T) {
	f := newFixture(t, Options{seams: seams{noInstance: true}})
	if !f.logged("fs.inotify.max_user_instances=") {
		t.Errorf("no advice in %q", f.lines)
	}
	f.write("x.go", "one")
	if got := f.rel(f.sync()); got != "x.go" {
		t.Errorf("got %q", got)
	}
	if _, err := New(Options{Source: "native", seams: seams{noInstance: true}}); err == nil {
		t.Error("native without an instance")
	}
}

func TestMaxTreeDirs(t *testing.T) {
	dir := realTemp(t)
	for i := range 8 {
		if err := os.Mkdir(filepath.Join(dir, fmt.Sprint("d", i)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	f := watchDir(t, dir, Options{MaxTreeDirs: 4})
	for i := range 8 {
		f.write(fmt.Sprintf("d%d/x.go", i), "one")
	}
	if got := strings.Count(f.rel(f.sync()), "x.go"); got != 8 {
		t.Errorf("%d of 8 files seen", got)
	}
}

// TestNoEvents is row 13.
func TestNoEvents(t *testing.T) {
	f := newFixture(t, Options{seams: seams{delivers: func(string) bool { return false }}})
	if !f.logged("polling every") {
		t.Errorf("no notice in %q", f.lines)
	}
	begin := time.Now()
	f.write("x.go", "one")
	f.next()
	t.Logf("seen after %v", time.Since(begin))
}

func TestProbe(t *testing.T) {
	if !probe(t.TempDir()) {
		t.Error("a local directory does not deliver events")
	}
}

// TestOddFiles is row 14: nothing hangs, the rest works.
func TestOddFiles(t *testing.T) {
	dir := realTemp(t)
	if err := unix.Mkfifo(filepath.Join(dir, "fifo.go"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("..", filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "dangling.go")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "secret"), 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(filepath.Join(dir, "secret"), 0o755) })
	asked := func(path string) bool {
		if !strings.HasSuffix(path, "x.go") {
			t.Errorf("asked whether %s is whole", path)
		}
		return true
	}
	f := watchDir(t, dir, Options{Settled: asked})
	f.write("x.go", "one")
	if err := unix.Mkfifo(f.path("second.go"), 0o644); err != nil {
		t.Fatal(err)
	}
	f.until(func(b Batch) bool { return f.rel(b) == "second.go x.go" })
	if os.Geteuid() != 0 && !f.logged("secret is not watched") {
		t.Error("no word of the unreadable directory")
	}
}

// TestGitLock: a checkout is one batch at its end (row 6), a lock that git
// left behind is waited for and then ignored (row 7).
func TestGitLock(t *testing.T) {
	dir := realTemp(t)
	real := filepath.Join(dir, "main/.git/worktrees/tree")
	tree := filepath.Join(dir, "tree")
	for _, d := range []string{real, tree} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// A linked worktree: the lock is not below the tree.
	if err := os.WriteFile(filepath.Join(tree, ".git"), []byte("gitdir: "+real+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	lock := filepath.Join(real, "index.lock")
	f := watchDir(t, tree, Options{Trees: []string{tree}})
	if err := os.WriteFile(lock, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for i := range 500 {
		f.write(fmt.Sprintf("f%d.go", i), "B")
	}
	select {
	case b := <-f.w.Batches():
		t.Fatalf("batch of %d while git works", len(b.Paths))
	default:
	}
	if err := os.Remove(lock); err != nil {
		t.Fatal(err)
	}
	if b := f.next(); len(b.Paths) != 500 {
		t.Errorf("batch of %d after the checkout", len(b.Paths))
	}

	if err := os.WriteFile(lock, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	f.write("f0.go", "C")
	b := f.next()
	if b.Silence < lockWait || !f.logged("index.lock") {
		t.Errorf("stale lock: silence %v, notices %q", b.Silence, f.lines)
	}
}

// TestRealEditors is row 3 with the programs themselves, where installed.
func TestRealEditors(t *testing.T) {
	tests := []struct {
		name string
		args []string
	}{
		{"vim", []string{"-u", "NONE", "-es", "-c", "for i in range(1,50) | call setline(1, 'package x // ' . i) | write! | endfor", "-c", "qa!", "x.go"}},
		{"vim", []string{"-u", "NONE", "-es", "--cmd", "set backup writebackup backupcopy=no", "-c", "for i in range(1,50) | call setline(1, 'package x // ' . i) | write! | endfor", "-c", "qa!", "x.go"}},
		{"emacs", []string{"-Q", "--batch", "x.go", "--eval", `(dotimes (i 51) (erase-buffer) (insert (format "package x // %d" i)) (save-buffer))`}},
		{"sed", []string{"-i", "s/0/50/", "x.go"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := exec.LookPath(tt.name); err != nil {
				t.Skipf("%s is not installed", tt.name)
			}
			f := newFixture(t, Options{})
			f.write("x.go", "package x // 0\n")
			f.sync()
			cmd := exec.Command(tt.name, tt.args...)
			cmd.Dir = f.dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if data, _ := os.ReadFile(f.path("x.go")); !strings.Contains(string(data), "50") && !strings.Contains(string(data), "49") {
				t.Skipf("this %s does not take the script: %q", tt.name, data)
			}
			b := f.until(func(b Batch) bool { return slices.Contains(b.Paths, f.path("x.go")) })
			f.sync()
			for _, p := range b.Paths {
				if p != f.path("x.go") {
					t.Errorf("temporary file %s reported", p)
				}
			}
		})
	}
}

// TestRandomOperations compares the reports with a model: after Sync every
// path whose state differs from the last look is in the batch, or below a
// directory that is.
func TestRandomOperations(t *testing.T) {
	sources(t, func(t *testing.T, source string) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		rnd := rand.New(rand.NewPCG(seed, 0))
		f := newFixture(t, Options{Source: source})
		before := look(t, f.dir)
		rounds := 150
		if testing.Short() {
			rounds = 30
		}
		for round := range rounds {
			var done []string
			for range 1 + rnd.IntN(12) {
				done = append(done, randomOperation(rnd, f.dir))
			}
			b := f.sync()
			after := look(t, f.dir)
			for _, path := range changes(before, after) {
				if !b.Rescan && !covered(b.Paths, path, f.dir) {
					t.Fatalf("seed %d round %d: %s changed and is not in %q after %q", seed, round, path, f.rel(b), done)
				}
			}
			before = after
		}
	})
}

// randomOperation changes something; what fails has changed nothing.
func randomOperation(rnd *rand.Rand, root string) string {
	pick := func() string {
		p := root
		for range 1 + rnd.IntN(3) {
			p = filepath.Join(p, string(rune('a'+rnd.IntN(4))))
		}
		return p
	}
	p, q := pick(), pick()
	switch rnd.IntN(8) {
	case 0, 1:
		os.MkdirAll(p, 0o755)
		return "mkdir " + p
	case 2, 3, 4:
		os.WriteFile(p, fmt.Append(nil, rnd.Uint64()), 0o644)
		return "write " + p
	case 5:
		os.Rename(p, q)
		return "mv " + p + " " + q
	case 6:
		os.RemoveAll(p)
		return "rm " + p
	default:
		os.Symlink("x", p)
		return "ln " + p
	}
}

// look returns path -> content for everything below root.
func look(t *testing.T, root string) map[string]string {
	t.Helper()
	state := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		state[path] = d.Type().String()
		if d.Type().IsRegular() {
			data, err := os.ReadFile(path)
			state[path] += string(data)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func changes(before, after map[string]string) []string {
	var paths []string
	for p, s := range after {
		if old, ok := before[p]; !ok || old != s {
			paths = append(paths, p)
		}
	}
	for p := range maps.Keys(before) {
		if _, ok := after[p]; !ok {
			paths = append(paths, p)
		}
	}
	return paths
}

func covered(reported []string, path, root string) bool {
	for ; len(path) > len(root); path = filepath.Dir(path) {
		if slices.Contains(reported, path) {
			return true
		}
	}
	return false
}

// TestStress is gopls' shape: many goroutines create, write and remove at
// once; every file that is left must have been reported.
func TestStress(t *testing.T) {
	f := newFixture(t, Options{})
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			dir := f.path(fmt.Sprintf("d%d/e/f", i))
			for j := range 10 {
				if err := os.MkdirAll(dir, 0o755); err != nil {
					t.Error(err)
				}
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(j)), nil, 0o644); err != nil {
					t.Error(err)
				}
				if j%3 == 0 {
					os.RemoveAll(filepath.Dir(dir))
				}
			}
		})
	}
	wg.Wait()
	left := look(t, f.dir)
	all := f.until(func(b Batch) bool {
		for p := range left {
			if !slices.Contains(b.Paths, p) {
				return false
			}
		}
		return true
	})
	t.Logf("%d paths left, %d reported, rescan %v", len(left), len(all.Paths), all.Rescan)
}

// TestLatency keeps the promise for a lone save honest without being a
// benchmark: the machine may be busy.
func TestLatency(t *testing.T) {
	f := newFixture(t, Options{})
	f.write("x.go", "package x")
	f.sync()
	var all []time.Duration
	for i := range 30 {
		f.write("x.go", fmt.Sprint("package x // ", i))
		begin := time.Now()
		f.next()
		all = append(all, time.Since(begin))
		// The next save must not look like part of a burst.
		idle := time.NewTimer(2 * burstWait)
		<-idle.C
	}
	slices.Sort(all)
	t.Logf("write to batch: median %v, worst %v", all[len(all)/2], all[len(all)-1])
	if m := all[len(all)/2]; m > burstWait {
		t.Errorf("median %v: a lone save waits for something", m)
	}
}

// BenchmarkLoneSave measures from the end of the write to the batch.
func BenchmarkLoneSave(b *testing.B) {
	dir := b.TempDir()
	w, err := New(Options{Trees: []string{dir}})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	path := filepath.Join(dir, "x.go")
	var total time.Duration
	n := 0
	for b.Loop() {
		if err := os.WriteFile(path, []byte("package x"), 0o644); err != nil {
			b.Fatal(err)
		}
		begin := time.Now()
		<-w.Batches()
		total += time.Since(begin)
		n++
		<-time.After(2 * burstWait)
	}
	b.ReportMetric(float64(total.Microseconds())/float64(n), "us/save")
	b.ReportMetric(0, "ns/op")
}

func TestMountInsideATreeIsPolled(t *testing.T) {
	dir := realTemp(t)
	share := filepath.Join(dir, "share")
	if err := os.MkdirAll(filepath.Join(share, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	var o Options
	o.seams.remoteMounts = func(string) map[string]string { return map[string]string{share: "9p"} }
	f := watchDir(t, dir, o)
	if !f.logged("share is on 9p") {
		t.Error("no notice says that the mount is polled")
	}
	f.write("share/sub/x.go", "package x")
	f.write("y.go", "package y")
	f.until(func(b Batch) bool { return f.rel(b) == "share/sub/x.go y.go" })
}

func TestParseMounts(t *testing.T) {
	const text = `22 28 0:21 / /sys rw shared:7 - sysfs sysfs rw
30 28 0:27 / /work/a\040b rw,relatime shared:1 - fuse.sshfs host:/x rw
31 28 0:28 / /work rw shared:1 - nfs4 host:/y rw
32 28 0:29 / /work/nfs rw,relatime master:3 shared:1 - nfs4 host:/z rw
33 28 0:30 / /workshop/n rw - cifs //h/s rw
34 28 8:1 / /work/disk rw - ext4 /dev/sda1 rw
35 28 0:31 / /work/win rw - 9p drvfs rw
malformed
`
	got := parseMounts(text, "/work")
	want := map[string]string{"/work/a b": "FUSE", "/work/nfs": "NFS", "/work/win": "9p (WSL drive or virtual machine share)"}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
