package link_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// TestCheckWithoutArchives: that an archive left the cache is no mistake of the
// linker, which has it mapped.
func TestCheckWithoutArchives(t *testing.T) {
	s := newSession(t, map[string]string{"main.go": hello})
	r := s.m.Request(t, ".")
	r.Out = filepath.Join(s.dir, "prog")
	archive := filepath.Join(t.TempDir(), "main.a")
	data, err := os.ReadFile(r.Main.File)
	if err == nil {
		err = os.WriteFile(archive, data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	r.Main.File = archive
	if _, err := s.inc.Link(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(archive); err != nil {
		t.Fatal(err)
	}
	before := s.inc.Stats()
	if err := s.inc.Idle(context.Background(), r.State); err != nil {
		t.Error(err)
	}
	if after := s.inc.Stats(); after.Checks != before.Checks+1 || after.Mismatches > 0 {
		t.Errorf("%+v after %+v", after, before)
	}
}
