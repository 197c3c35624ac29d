package place

import (
	"fmt"
	"io/fs"
	"os"
	"sync"
)

// Stamp names one state of a file: its inode and its times. The last change of
// an inode cannot be set by hand, so a file that was read and found sound need
// not be read again while it has the same stamp.
type Stamp string

// StampOf returns the present one.
func StampOf(info fs.FileInfo) Stamp {
	return Stamp(fmt.Sprintf("%s %d %d", inode(info), info.Size(), info.ModTime().UnixNano()))
}

// Mark is by what one process tells another that it found a file sound.
type Mark struct {
	Stamp Stamp `json:"stamp,omitempty"` // that it had then
	Sum   Sum   `json:"sum,omitempty"`   // of its bytes
}

// ledgerSize bounds a Ledger: some hundred bytes for each artifact of a day.
const ledgerSize = 1 << 12

// Ledger remembers files that were found sound. The zero value is empty.
type Ledger struct {
	mu    sync.Mutex // guards the field below
	known map[string]Mark
}

// Sound returns the mark of the sealed file of a key, or why it may not be used.
// It reads the file if it does not know it as it is.
func (l *Ledger) Sound(key, path string) (Mark, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return Mark{}, err
	}
	if !Believable(info) || !Sealed(key, info) {
		return Mark{}, fmt.Errorf("%s: %w", path, ErrDamaged)
	}
	if m := l.Known(path); m.Stamp == StampOf(info) {
		return m, nil
	}
	f, err := OpenFile(path)
	if err != nil {
		return Mark{}, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return Mark{}, err
	}
	sum, err := SumOf(f)
	if err != nil {
		return Mark{}, err
	}
	if want := sumIn(info); !Sealed(key, info) || want != 0 && sum != want {
		return Mark{}, fmt.Errorf("%s: %w", path, ErrDamaged)
	}
	return l.keep(path, Mark{StampOf(info), sum}), nil
}

// Note takes over what was just written, complete and sealed.
func (l *Ledger) Note(path string, sum Sum) (Mark, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return Mark{}, err
	}
	return l.keep(path, Mark{StampOf(info), sum}), nil
}

// Known returns the mark that a file last had, the zero Mark if none.
func (l *Ledger) Known(path string) Mark {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.known[path]
}

func (l *Ledger) keep(path string, m Mark) Mark {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known == nil || len(l.known) >= ledgerSize {
		l.known = map[string]Mark{}
	}
	l.known[path] = m
	return m
}

// Verify returns nil if an open file is what was marked. It is read unless its
// stamp is that of the mark.
func Verify(f *os.File, m Mark) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if StampOf(info) == m.Stamp {
		return nil
	}
	sum, err := SumOf(f)
	if err == nil && sum != m.Sum {
		err = fmt.Errorf("%s: %w", f.Name(), ErrDamaged)
	}
	return err
}
