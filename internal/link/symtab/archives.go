package symtab

import (
	"sync"
	"sync/atomic"

	"github.com/hotreflex/hr/internal/link/dialect"
	"github.com/hotreflex/hr/internal/link/goobj"
)

// Archives lets tables share what they read: a file that several of them have
// is mapped, checked and its names are hashed once, for as long as one of them
// has it. A nil one shares nothing. It may be used by several goroutines.
type Archives struct {
	mu     sync.Mutex // guards open and the readers in it
	open   map[origin]*source
	hashes atomic.Int64 // in bytes
}

// NewArchives returns one without archives.
func NewArchives() *Archives { return &Archives{open: map[origin]*source{}} }

// Len is how many archives are open.
func (a *Archives) Len() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.open)
}

// HeapBytes is the memory of what is kept beside the mappings.
func (a *Archives) HeapBytes() int64 { return a.hashes.Load() }

// origin is a file, which never changes, read by the rules of one toolchain.
type origin struct{ file, goroot string }

// source is an archive as it comes from its file: nothing in it depends on a
// table, and nothing changes once it is read.
type source struct {
	archives *Archives // nil if it is one table's own
	origin   origin
	readers  int

	opening, checking  sync.Once
	openErr, brokenErr error

	mapping []byte
	archive *goobj.Archive
	hashes  [][]uint64 // per object: of package definitions, then non-package symbols
	unique  [][]uint32 // per object: see uniqueDefs
}

// take returns the source of a file, which may not be read yet. Who takes it
// drops it.
func (a *Archives) take(o origin) *source {
	if a == nil {
		return &source{origin: o, readers: 1}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.open[o]
	if s == nil {
		s = &source{archives: a, origin: o}
		a.open[o] = s
	}
	s.readers++
	return s
}

// drop gives a source up; the last reader unmaps it. Nothing that points into
// it may be in use any more.
func (s *source) drop() {
	a := s.archives
	if a == nil {
		goobj.Unmap(s.mapping)
		return
	}
	a.mu.Lock()
	s.readers--
	last := s.readers == 0
	if last {
		delete(a.open, s.origin)
	}
	a.mu.Unlock()
	if last {
		a.hashes.Add(-s.hashBytes())
		goobj.Unmap(s.mapping)
	}
}

// parse maps the file and finds its objects.
func (s *source) parse() error {
	s.opening.Do(func() {
		if s.mapping, s.openErr = goobj.Map(s.origin.file); s.openErr == nil {
			s.archive, s.openErr = goobj.ParseArchive(s.mapping)
		}
	})
	return s.openErr
}

// check looks at every symbol of a parsed source, and hashes the names.
func (s *source) check(d *dialect.Dialect) error {
	s.checking.Do(func() {
		limits := goobj.Limits{
			Builtins: len(d.Builtins),
			Ignored:  func(k uint8) bool { return d.Kind(k) == dialect.Debug },
			Known:    func(k uint8) bool { return d.Kind(k) != dialect.Unknown },
		}
		for _, g := range s.archive.Objects {
			if g.Flags&(goobj.FlagShared|goobj.FlagUnlinkable) != 0 {
				s.brokenErr = errFlags
				return
			}
			if s.brokenErr = g.Check(limits); s.brokenErr != nil {
				return
			}
			s.hashes = append(s.hashes, hashNames(g, d))
			s.unique = append(s.unique, uniqueDefs(g))
		}
		if s.archives != nil {
			s.archives.hashes.Add(s.hashBytes())
		}
	})
	return s.brokenErr
}

func (s *source) hashBytes() (n int64) {
	if s.brokenErr != nil {
		return 0 // not counted
	}
	for _, h := range s.hashes {
		n += int64(len(h)) * 8
	}
	return n
}

// hashNames hashes the names that a table will ask for: those of package
// definitions and of non-package symbols. 0 means: not looked up by name.
func hashNames(g *goobj.Object, d *dialect.Dialect) []uint64 {
	hashes := make([]uint64, g.NDef+g.NNonpkgDef+g.NNonpkgRef)
	first := g.FirstNonpkg()
	for i := range hashes {
		local := i
		if i >= g.NDef {
			local = first + i - g.NDef
		}
		s := g.Sym(local)
		if s.Static() || d.Kind(s.Kind()) == dialect.Debug {
			continue
		}
		if name := g.Name(local); name != "" {
			hashes[i] = hashName(name, s.ABI())
		}
	}
	return hashes
}

// uniqueDefs lists the content-addressed definitions whose address the running
// program compares: itabs, and types should they ever be content-addressed.
func uniqueDefs(g *goobj.Object) (list []uint32) {
	for i := range g.NHash64 + g.NHash {
		if s := g.Sym(g.NDef + i); s.Flag2()&goobj.Itab != 0 || s.Flag()&goobj.GoType != 0 {
			list = append(list, uint32(i))
		}
	}
	return list
}
