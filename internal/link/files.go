package link

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/hotreflex/hr/internal/link/image"
	"github.com/hotreflex/hr/internal/place"
)

// files are the programs that were written for a state, the oldest first.
//
// Writing a whole program costs as much as linking it (10 ms for 20 MB on
// tmpfs), so an old program is made into the new one: its file is renamed and
// the pages that differ are written. That is done only if nobody can notice;
// see takeBack.
type files struct {
	list  []written
	image *image.Image // of which the files are earlier versions
	holes int64        // bytes of the image that had no block when it was new
	tally place.Tally  // of the image
}

// heldMost is how many files are remembered that cannot be had now: more than a
// front end holds, of the program that runs and those that it may go back to.
const heldMost = 12

// errHeld says that a file runs, or that somebody may start it again.
var errHeld = errors.New("the program is in use")

// written is one program file and what has changed in the image since.
type written struct {
	path  string
	info  os.FileInfo // as it was when the file was complete
	stale []image.Span
	spare bool // nobody was told of it
}

// write puts the image at out, sealed with a key. The last keep files stay.
func (f *files) write(out, seal string, m *image.Image, keep int) (place.Sum, error) {
	if f.image != m {
		f.begin(m)
	}
	// On tmpfs a page of zeros takes a block when the program looks at it: where
	// there is none left, the kernel kills the program (mm/shmem.c, shmem_fault).
	if free, ok := freeSpace(filepath.Dir(out)); ok && free < f.holes {
		return 0, fmt.Errorf("%s: %d KB free, %d wanted: %w", filepath.Dir(out), free>>10, f.holes>>10, syscall.ENOSPC)
	}
	dirty := m.TakeDirty()
	for i := range f.list {
		f.list[i].stale = image.Union(f.list[i].stale, dirty)
	}
	for _, s := range dirty {
		f.tally.Update(m.B, s.Off, s.End)
	}
	sum := f.tally.Sum()
	tmp := tempName(out)
	defer os.Remove(tmp)
	info, err := f.reuse(tmp, m, keep)
	if err != nil || info == nil {
		if info, err = writeFresh(tmp, m); err != nil {
			return 0, err
		}
	}
	if err := os.Chtimes(tmp, time.Now(), place.Seal(seal, info.Size(), sum)); err != nil {
		return 0, err
	}
	if err := os.Rename(tmp, out); err != nil {
		return 0, err
	}
	f.forget(out)
	if info, err = os.Lstat(out); err != nil { // a name is part of what a file was given last
		return 0, err
	}
	f.list = append(f.list, written{path: out, info: info})
	return sum, nil
}

// begin takes up an image of a new layout, which has nothing in common with the
// files.
func (f *files) begin(m *image.Image) {
	f.discard()
	f.image, f.holes, f.tally = m, int64(len(m.B)), place.NewTally(len(m.B))
	for _, s := range m.NonZero() {
		f.holes -= int64(s.End - s.Off)
		f.tally.Update(m.B, s.Off, s.End)
	}
}

// prepare writes copies of the last program, hidden beside it, until the next
// link finds one to take back.
func (f *files) prepare(m *image.Image, keep int) error {
	if keep < 0 || len(f.list) == 0 || f.image != m {
		return nil
	}
	beside := f.list[len(f.list)-1].path
	for len(f.list) <= keep {
		path := tempName(beside)
		info, err := writeFresh(path, f.image)
		if err != nil {
			os.Remove(path)
			return fmt.Errorf("link: write spare program: %w", err)
		}
		f.list = slices.Insert(f.list, 0, written{path: path, info: info, spare: true})
	}
	return nil
}

// discard forgets all files; those that nobody was told of are removed.
func (f *files) discard() {
	for _, w := range f.list {
		if w.spare {
			os.Remove(w.path)
		}
	}
	*f = files{}
}

// reuse makes tmp out of the oldest file if there are more than keep. It
// returns nil if none could be taken.
func (f *files) reuse(tmp string, m *image.Image, keep int) (os.FileInfo, error) {
	if keep < 0 {
		return nil, nil
	}
	for i := 0; i+keep < len(f.list); {
		w := f.list[i]
		file, err := takeBack(w, tmp, int64(len(m.B)))
		if errors.Is(err, errHeld) && len(f.list) <= heldMost {
			i++ // it can be had when its program has ended
			continue
		}
		f.list = slices.Delete(f.list, i, i+1)
		if err == nil {
			return patch(file, m, w.stale)
		}
		if w.spare {
			os.Remove(w.path)
		}
	}
	return nil, nil
}

func patch(file *writer, m *image.Image, spans []image.Span) (os.FileInfo, error) {
	for _, s := range spans {
		if _, err := file.WriteAt(m.B[s.Off:s.End], int64(s.Off)); err != nil {
			file.Close()
			return nil, err
		}
	}
	return file.finish()
}

// writeFresh writes a new file, leaving out pages of zeros: slack is never
// written, so it takes no memory on tmpfs.
func writeFresh(tmp string, m *image.Image) (os.FileInfo, error) {
	file, err := create(tmp)
	if err != nil {
		return nil, err
	}
	if err := file.Truncate(int64(len(m.B))); err != nil {
		file.Close()
		return nil, err
	}
	return patch(file, m, m.NonZero())
}

// forget drops files that were replaced by a newer one of the same path.
func (f *files) forget(path string) {
	kept := f.list[:0]
	for _, w := range f.list {
		if w.path != path {
			kept = append(kept, w)
		}
	}
	f.list = kept
}

// Spare is in the name of every file that is no complete program, or one that
// nobody was told of.
const Spare = ".link-"

// tempName is a name beside out that nothing has. It is not created: a
// descriptor open for writing, even for a moment, could reach a forked child.
func tempName(out string) string {
	return filepath.Join(filepath.Dir(out), fmt.Sprintf(".%s%s%016x", filepath.Base(out), Spare, rand.Uint64()))
}

// sameFile tells whether the file is still the one that was written, untouched.
func (w written) sameFile(now os.FileInfo) bool {
	return place.StampOf(w.info) == place.StampOf(now) && soleLink(now)
}

var errTaken = errors.New("file is in use")
