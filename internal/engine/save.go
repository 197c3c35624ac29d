package engine

import (
	"github.com/hotreflex/hr/astcheck"
	"github.com/hotreflex/hr/cache"
	"github.com/hotreflex/hr/internal/exact"
	"github.com/hotreflex/hr/internal/graph"
)

// Save puts the program into the store; without one, or if it does not take it,
// the next start asks the go command. It is apart from Build because it takes as
// long as a small compile, and nobody needs to wait for it.
func (e *Engine) Save(prog *Program) {
	if e.opt.Store == nil {
		return
	}
	data, err := exact.Marshal(prog)
	if err != nil {
		e.opt.Log("save program: %v", err)
		return
	}
	if err := e.opt.Store.Put(cache.Snapshot, prog.Key, data); err != nil {
		e.opt.Log("save program: %v", err)
	}
}

// restore returns the program of a target as the store has it, nil if it has
// not, or if an archive of it is gone.
func (e *Engine) restore(t *Target) *Program {
	if e.opt.Store == nil {
		return nil
	}
	data, ok := e.opt.Store.Get(cache.Snapshot, t.key)
	if !ok {
		return nil
	}
	prog := new(Program)
	if err := exact.Unmarshal(data, prog); err != nil || prog.Snap == nil || prog.Key != t.key || !prog.Snap.Whole() || prog.Snap.Main() == nil {
		return nil
	}
	prog.Snap.Seal()
	return prog
}

// memo remembers prechecks in the store.
func (e *Engine) memo() graph.Memo {
	if e.opt.Store == nil {
		return nil
	}
	return storeMemo{e.opt.Store}
}

type storeMemo struct{ store *cache.Store }

func (m storeMemo) Precheck(hash string) *astcheck.Precheck {
	data, ok := m.store.Get(cache.Precheck, precheckKey(hash))
	if !ok {
		return nil
	}
	p := new(astcheck.Precheck)
	if exact.Unmarshal(data, p) != nil {
		return nil
	}
	return p
}

func (m storeMemo) Remember(hash string, p *astcheck.Precheck) {
	if data, err := exact.Marshal(p); err == nil {
		m.store.Put(cache.Precheck, precheckKey(hash), data) // lost, it is parsed again
	}
}

func precheckKey(hash string) string {
	h := newHash("precheck")
	h.add(hash, string(rune('0'+astcheck.Version)))
	return h.sum()
}
