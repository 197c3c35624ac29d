package reach

import (
	"github.com/hotreflex/hr/internal/link/gotype"
	"github.com/hotreflex/hr/internal/link/symtab"
)

// offer makes the methods of a type candidates: those that something calls
// already become live, the others wait.
func (f *Flood) offer(id symtab.ID, relocs []int) {
	methods := gotype.Methods(f.t, id)
	if len(methods) != len(relocs) {
		symtab.Fail("%s has %d method relocations for %d methods", f.t.Name(id), len(relocs), len(methods))
	}
	k := f.knows(id)
	for i, m := range methods {
		c := candidate{id, relocs[i]}
		if f.callable(m) {
			f.call(c)
			continue
		}
		if len(k.waiting[m]) == 0 {
			k.named[m.Name] = append(k.named[m.Name], m)
		}
		k.waiting[m] = append(k.waiting[m], c)
	}
}

func (f *Flood) callable(m gotype.Method) bool {
	return f.cold.used[m] || f.hot.used[m] || f.cold.usedByName[m.Name] || f.hot.usedByName[m.Name] ||
		(f.cold.reflect || f.hot.reflect) && m.Exported()
}

// useMethod notes a call through an interface.
func (f *Flood) useMethod(k *knowledge, m gotype.Method) {
	if !k.used[m] {
		k.used[m] = true
		f.release(m)
	}
}

// useName notes that a method of any type may be asked for by its name.
func (f *Flood) useName(k *knowledge, name string) {
	if k.usedByName[name] {
		return
	}
	k.usedByName[name] = true
	for _, from := range []*knowledge{&f.cold, &f.hot} {
		for _, m := range from.named[name] {
			f.release(m)
		}
	}
}

// useReflection notes that any exported method may be asked for.
func (f *Flood) useReflection(k *knowledge) {
	if k.reflect {
		return
	}
	k.reflect = true
	for _, from := range []*knowledge{&f.cold, &f.hot} {
		for m := range from.waiting {
			if m.Exported() {
				f.release(m)
			}
		}
	}
}

// release makes all waiting methods of that name and type live.
func (f *Flood) release(m gotype.Method) {
	for _, from := range []*knowledge{&f.cold, &f.hot} {
		list := from.waiting[m]
		if len(list) == 0 {
			continue
		}
		delete(from.waiting, m)
		for _, c := range list {
			f.call(c)
		}
	}
}

// call marks the three symbols of a method: its type and two entry points.
func (f *Flood) call(c candidate) {
	o, relocs := f.t.Relocs(c.typ)
	for _, r := range relocs[c.r : c.r+3] {
		to := f.t.Resolve(o, r.Ref())
		if to == 0 {
			symtab.Fail("method %s of %s not defined", f.t.NameOf(o, r.Ref()), f.t.Name(c.typ))
		}
		f.crossing(c.typ, to, o, r.Ref())
		f.mark(to)
	}
}
