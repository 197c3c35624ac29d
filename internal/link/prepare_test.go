package link_test

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestPrepare: after it the next link patches a copy instead of writing a whole
// program, the program before stays as it is, and no copy is left in the end.
func TestPrepare(t *testing.T) {
	s := newSession(t, map[string]string{"main.go": hello})
	count := func() (n int) {
		filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && strings.HasPrefix(d.Name(), ".prog") {
				n++
			}
			return nil
		})
		return n
	}
	if err := s.inc.Prepare(context.Background(), s.m.Dir+" ."); err != nil || count() > 0 {
		t.Errorf("before the first link: %v, %d copies", err, count())
	}
	s.link()
	for i, spares := range []int{2, 1, 0} {
		if i == 0 {
			if err := s.inc.Prepare(context.Background(), s.m.Dir+" ."); err != nil {
				t.Fatal(err)
			}
		} else {
			s.m.Write(t, "main.go", strings.Replace(hello, "hello", fmt.Sprint("hello ", i), 1))
			s.link()
		}
		if count() != spares {
			t.Errorf("after relink %d there are %d copies, want %d", i, count(), spares)
		}
	}
	if err := s.inc.Prepare(context.Background(), s.m.Dir+" ."); err != nil {
		t.Fatal(err)
	}
	s.inc.Close()
	if count() > 0 {
		t.Errorf("%d copies are left", count())
	}
}
