package program

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/hotreflex/hr/internal/link/dialect"
	"github.com/hotreflex/hr/internal/link/goobj"
	"github.com/hotreflex/hr/internal/link/symtab"
)

// load reads all archives. Cold packages come first so that they own what is
// defined more than once, and main last.
func (p *Program) load() {
	header := p.header()
	version, _, _ := strings.Cut(p.in.Version, " ")
	if !strings.HasPrefix(header, "go object linux amd64 "+version+" ") {
		symtab.Fail("objects are not of %s for linux/amd64: %q", version, header)
	}
	d, err := dialect.Load(p.in.GOROOT, p.in.Version, header)
	if err != nil {
		symtab.Fail("%v", err)
	}
	p.d, p.t = d, symtab.New(d, p.archives)
	p.makeSyms()
	pkgs := slices.Clone(p.in.Packages)
	slices.SortFunc(pkgs, func(a, b Package) int {
		return cmp.Or(compareBool(a.Main, b.Main), compareBool(a.Hot, b.Hot), cmp.Compare(a.Path, b.Path))
	})
	loads := p.read(pkgs, header)
	p.spreadHot(loads)
	p.Phases.done("read")
	slices.SortStableFunc(loads, func(a, b *symtab.Load) int {
		x, y := a.Package(), b.Package()
		return compareBool(x.Hot, y.Hot)
	})
	p.nameHost(loads)
	p.t.Add(loads)
	for _, l := range loads {
		s := l.Package()
		if s.Hot {
			p.hot = append(p.hot, s) // main is the last of all
		}
	}
	p.main = p.hot[len(p.hot)-1]
	p.Phases.done("symbols")
}

// spreadHot makes packages hot that import hot ones: they hold references by
// index, and are compiled anew when those change. That happens with a local
// replacement for a module that others in the module cache use.
func (p *Program) spreadHot(loads []*symtab.Load) {
	hot := map[string]bool{}
	for _, l := range loads {
		if s := l.Package(); s.Hot {
			hot[s.Path] = true
		}
	}
	for _, s := range p.hot {
		hot[s.Path] = true
	}
	for again := true; again; {
		again = false
		for _, l := range loads {
			s := l.Package()
			if s.Hot {
				continue
			}
			for _, imp := range s.Objects[0].Imports() {
				if hot[imp.Path] {
					s.Hot, hot[s.Path], again = true, true, true
					break
				}
			}
		}
	}
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// header is the first line of an object of the program, which tells the
// toolchain's version and experiments.
func (p *Program) header() string {
	for _, in := range p.in.Packages {
		if !in.Main {
			continue
		}
		b, err := goobj.Map(in.File)
		if err != nil {
			symtab.Fail("%v", err)
		}
		defer goobj.Unmap(b)
		a, err := goobj.ParseArchive(b)
		if err != nil {
			symtab.Fail("%s: %v", in.File, err)
		}
		return a.Header
	}
	symtab.Fail("no main package")
	return ""
}

// read opens archives on all processors. The load of a package that is in the
// table with the same objects is nil.
func (p *Program) read(pkgs []Package, header string) []*symtab.Load {
	loads := make([]*symtab.Load, len(pkgs))
	errs := make([]error, len(pkgs))
	inParallel(len(pkgs), func(i int) {
		in := pkgs[i]
		l, err := p.t.Read(in.Path, in.File, in.Hot || in.Main, p.t.Package(in.Path))
		switch {
		case err != nil:
			errs[i] = fmt.Errorf("%s: %w", in.Path, err)
		case l == nil:
		case l.Header() != header:
			errs[i] = fmt.Errorf("%s: object header %q differs from %q", in.Path, l.Header(), header)
		}
		loads[i] = l
	})
	for _, err := range errs {
		if err != nil {
			for _, l := range loads {
				if l != nil {
					l.Discard()
				}
			}
			symtab.Fail("%v", err)
		}
	}
	return loads
}

// inParallel calls f for 0..n-1 from as many goroutines as there are
// processors, and throws the first Fault that one of them throws.
func inParallel(n int, f func(int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	if workers <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex // guards next and fault
		next  int
		fault error
	)
	for range workers {
		wg.Go(func() {
			var err error
			defer func() {
				if err != nil {
					mu.Lock()
					fault = err
					mu.Unlock()
				}
			}()
			defer catch(&err)
			defer HoldFaults()()
			for {
				mu.Lock()
				i := next
				next++
				stop := fault != nil
				mu.Unlock()
				if i >= n || stop {
					return
				}
				f(i)
			}
		})
	}
	wg.Wait()
	if fault != nil {
		panic(fault)
	}
}

// Release lets go of memory that the next relink takes again as far as it needs.
func (p *Program) Release() {
	if p.t != nil {
		p.t.Release()
	}
}

// Close gives the archives' mappings back. The Program is unusable then.
func (p *Program) Close() {
	if p.t != nil {
		p.t.Close()
	}
	for _, s := range p.retired {
		s.Unmap()
	}
}
