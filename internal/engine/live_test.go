//go:build unix

package engine

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/hotreflex/hr/cache"
	"github.com/hotreflex/hr/internal/link"
	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/internal/place"
)

// However many programs were built since, what a front holds stays where it is;
// the rest goes, and what killed linkers have left.
func TestSweepLive(t *testing.T) {
	base := t.TempDir()
	bins, err := cache.OpenFiles(cache.FilesOptions{Dirs: []string{filepath.Join(base, "bin")}})
	if err != nil {
		t.Fatal(err)
	}
	e := New(Options{Bins: bins, Incremental: link.NewIncremental(link.Options{})})
	live := filepath.Join(base, "live")
	write := func(path string, age time.Duration) string {
		t.Helper()
		path = filepath.Join(live, path)
		at := time.Now().Add(-age)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("program"), 0o700),
			os.Chtimes(path, at, at), os.Chtimes(filepath.Dir(path), at, at), os.Chtimes(filepath.Dir(filepath.Dir(path)), at, at)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	hold := func(path string) {
		t.Helper()
		h, err := order.HoldArtifact(order.Artifact{Path: path, Mark: markOf(t, path)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(h.Release)
	}
	const id = "0123456789abcdef"
	var programs []string
	for i := range 7 {
		programs = append(programs, write("other"+strconv.Itoa(i)+"/"+id+"/app", time.Duration(i+1)*time.Hour))
	}
	target := &Target{key: "fedcba9876543210"}
	needed := write(target.key+"/"+id+"/app", time.Hour)
	running := write(target.key+"/running/app", time.Hour)
	old := write(target.key+"/old/app", time.Hour)
	fresh := write(target.key+"/fresh/app", 0)
	spare := write(target.key+"/fresh/.app"+link.Spare+"00", time.Hour)
	hold(running)
	hold(programs[6])
	e.sweepLive(target, &Program{Artifact: order.Artifact{Key: id}})
	for path, want := range map[string]bool{
		programs[0]: true, programs[2]: true, programs[3]: false, programs[5]: false, programs[6]: true,
		needed: true, running: true, old: false, fresh: true, spare: false,
	} {
		if _, err := os.Lstat(path); (err == nil) != want {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func markOf(t *testing.T, path string) place.Mark {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sum, err := place.SumOf(f)
	if err != nil {
		t.Fatal(err)
	}
	return place.Mark{Sum: sum}
}
