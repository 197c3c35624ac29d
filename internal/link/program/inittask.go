package program

import (
	"container/heap"
	"strings"

	"github.com/hotreflex/hr/internal/link/dialect"
	"github.com/hotreflex/hr/internal/link/goobj"
	"github.com/hotreflex/hr/internal/link/symtab"
)

func relocs(r ...goobj.Reloc) []goobj.Reloc { return r }

// initOrder keeps the order of initialisation. It changes only with the imports of
// hot packages, or when one of them gets or loses code to run; finding it anew
// costs milliseconds in a large program.
type initOrder struct {
	signature     string
	main, runtime []uint32 // name slots of tasks
}

// tasks returns the tasks of the program and those of the runtime, in order.
func (o *initOrder) tasks(p *Program) (main, runtime []symtab.ID) {
	signature := p.taskSignature()
	if o.signature == signature {
		return p.tasksOf(o.main), p.tasksOf(o.runtime)
	}
	main, runtime = p.initTasks("main..inittask"), p.initTasks("runtime..inittask")
	o.signature, o.main, o.runtime = signature, p.slotsOf(main), p.slotsOf(runtime)
	return main, runtime
}

// taskSignature is what the order depends on as far as hot packages go: their
// tasks, whether they have something to run, and what they wait for.
func (p *Program) taskSignature() string {
	var b strings.Builder
	for _, pkg := range p.hot {
		name := "main"
		if pkg != p.main {
			name = symtab.EscapePath(pkg.Path)
		}
		id := p.t.Lookup(name+"..inittask", abi0)
		b.WriteString("\n" + name)
		if id == 0 {
			continue
		}
		if p.t.Size(id) > taskHeader {
			b.WriteString(" runs")
		}
		o, relocs := p.t.Relocs(id)
		for i := range relocs {
			if relocs[i].Type() == p.d.InitOrder {
				b.WriteString(" " + p.t.NameOf(o, relocs[i].Ref()))
			}
		}
	}
	return b.String()
}

func (p *Program) tasksOf(slots []uint32) []symtab.ID {
	ids := make([]symtab.ID, len(slots))
	for i, s := range slots {
		ids[i], _ = p.t.Meaning(s)
	}
	return ids
}

func (p *Program) slotsOf(ids []symtab.ID) []uint32 {
	slots := make([]uint32, len(ids))
	for i, id := range ids {
		slots[i] = p.t.SlotNamed(p.t.Name(id), abi0)
	}
	return slots
}

// taskHeader is the size of a runtime.initTask without functions.
const taskHeader = 8

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
	for ready.Len() > 0 {
		id := heap.Pop(ready).(task).id
		done++
		if p.t.Size(id) > taskHeader {
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
