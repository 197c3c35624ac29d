package daemon

import (
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hotreflex/hr/cache"
	"github.com/hotreflex/hr/internal/protocol"
)

// Status tells what the daemon holds and has done.
func (d *Daemon) Status() protocol.Status {
	s := protocol.Status{
		Hello:      d.hello(),
		Uptime:     time.Since(d.started),
		RunDir:     d.opt.RunDir,
		CacheDir:   d.opt.CacheDir,
		Archives:   filesStatus(d.arch),
		Bins:       filesStatus(d.bins),
		RSS:        residentBytes(),
		Goroutines: runtime.NumGoroutine(),
		Builds: protocol.BuildCounts{
			Fast:     d.counts.fast.Load(),
			Fallback: d.counts.fallback.Load(),
			Unneeded: d.counts.unneeded.Load(),
			Failed:   d.counts.failed.Load(),
			Canceled: d.counts.canceled.Load(),
		},
	}
	st := d.store.Stats()
	s.Store = protocol.StoreStatus{
		InMemory: st.InMemory, Bytes: st.Bytes, Entries: int64(st.Entries),
		Hits: map[string]int64{}, Misses: map[string]int64{},
	}
	for kind, n := range st.Kinds {
		s.Store.Hits[string(kind)] = int64(n.Hits)
		s.Store.Misses[string(kind)] = int64(n.Misses)
	}
	if d.linker != nil {
		l := d.linker.Stats()
		s.Linker = &protocol.LinkerStatus{States: l.States, Archives: l.Archives, Bytes: l.HeapBytes, Checks: int64(l.Checks), Mismatches: int64(l.Mismatches)}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s.Draining = d.draining
	open := slices.SortedFunc(maps.Values(d.sessions), func(a, b *session) int { return a.since.Compare(b.since) })
	for _, x := range open {
		c := x.target.Context()
		s.Sessions = append(s.Sessions, protocol.SessionStatus{
			ID: x.id, Dir: x.job.Dir, Target: strings.Join(x.job.Package, " "), Since: x.since,
			Context: strings.TrimSpace(c.GOOS + "/" + c.GOARCH + " " + strings.Join(c.Tags, ",")),
		})
	}
	for _, key := range slices.Sorted(maps.Keys(d.benches)) {
		p := d.benches[key].program()
		if p == nil {
			continue
		}
		c := p.Snap.Context
		s.Contexts = append(s.Contexts, protocol.ContextStatus{
			Key: key[:12], Target: p.Snap.Target, GOOS: c.GOOS, GOARCH: c.GOARCH, Tags: c.Tags,
			Packages: len(p.Snap.Packages), Local: len(p.Snap.Order()),
		})
	}
	return s
}

func filesStatus(f *cache.Files) protocol.FilesStatus {
	st := f.Stats()
	return protocol.FilesStatus{Dir: f.Dir(), Entries: st.Entries, Bytes: st.Bytes, Budget: st.Budget}
}

// residentBytes reads the resident set from /proc (proc(5), statm: pages); 0
// where there is none.
func residentBytes() int64 {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(data))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
