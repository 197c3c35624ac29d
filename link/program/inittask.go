package program

import (
	"container/heap"

	"github.com/hotreflex/hr/link/dialect"
	"github.com/hotreflex/hr/link/goobj"
	"github.com/hotreflex/hr/link/symtab"
)

func relocs(r ...goobj.Reloc) []goobj.Reloc { return r }

// initTasks is the order in which packages are initialised, beginning from the
// task of one package: of those whose imports are all done, the one with the
// lexically smallest name is next. Tasks with nothing to run are left out.
// (cmd/link/internal/ld/inittask.go)
func (p *Program) initTasks(root string) []symtab.ID {
	start := p.t.Lookup(root, abi0)
	if start == 0 {
		return nil
	}
	waiting := map[symtab.ID]int{start: 0} // imports that are not done
	importers := map[symtab.ID][]symtab.ID{}
	ready := &taskHeap{t: p.t}
	for queue := []symtab.ID{start}; len(queue) > 0; {
		id := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		o, relocs := p.t.Relocs(id)
		for i := range relocs {
			if relocs[i].Type() != p.d.InitOrder {
				continue
			}
			dep := p.t.Resolve(o, relocs[i].Ref())
			if dep == 0 {
				symtab.Fail("%s waits for %s, which is not defined", p.t.Name(id), p.t.NameOf(o, relocs[i].Ref()))
			}
			if _, seen := waiting[dep]; !seen {
				waiting[dep] = 0
				queue = append(queue, dep)
			}
			waiting[id]++
			importers[dep] = append(importers[dep], id)
		}
		if waiting[id] == 0 {
			ready.add(id)
		}
	}
	var order []symtab.ID
	done := 0
	const header = 8 // of runtime.initTask
	for ready.Len() > 0 {
		id := heap.Pop(ready).(task).id
		done++
		if p.t.Size(id) > header {
			order = append(order, id)
		}
		for _, by := range importers[id] {
			if waiting[by]--; waiting[by] == 0 {
				ready.add(by)
			}
		}
	}
	if done != len(waiting) {
		symtab.Fail("initialisation of %s has a cycle", root)
	}
	return order
}

type task struct {
	name string
	id   symtab.ID
}

type taskHeap struct {
	t    *symtab.Table
	list []task
}

func (h *taskHeap) add(id symtab.ID)   { heap.Push(h, task{h.t.Name(id), id}) }
func (h *taskHeap) Len() int           { return len(h.list) }
func (h *taskHeap) Less(i, j int) bool { return h.list[i].name < h.list[j].name }
func (h *taskHeap) Swap(i, j int)      { h.list[i], h.list[j] = h.list[j], h.list[i] }
func (h *taskHeap) Push(x any)         { h.list = append(h.list, x.(task)) }
func (h *taskHeap) Pop() any {
	n := len(h.list) - 1
	x := h.list[n]
	h.list = h.list[:n]
	return x
}

// setTasks writes a list of init tasks into an array symbol.
func (p *Program) setTasks(array symtab.ID, tasks []symtab.ID) {
	m := p.t.MadeOf(array)
	m.Size = uint32(len(tasks)) * addrSize
	m.Relocs = m.Relocs[:0]
	for i, id := range tasks {
		m.Relocs = append(m.Relocs, symtab.RelocTo(int32(i*addrSize), addrSize, dialect.RelocAddr, 0, id))
	}
}
