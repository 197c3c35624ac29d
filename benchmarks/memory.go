package main

import (
	"context"
	"time"
)

// letGo is longer than hrd keeps what only an open session needs.
const letGo = 15 * time.Second

// memory notes what the daemons hold: as hrd says, and as the kernel does.
func (r *runner) memory(ctx context.Context, seats map[string]*seat, name string) error {
	for _, s := range seats {
		t, ok := s.tool.(hr)
		// A session without an edit holds little: that is not what is asked.
		if !ok || r.broken[s.id()] || !r.results.edited(s.prog.name, t.name()) {
			continue
		}
		if err := t.idle(ctx); err != nil {
			return err
		}
		st, err := t.status(ctx)
		if err != nil {
			return err
		}
		v := values{unitBytes: float64(st.RSS)}
		if st.Linker != nil {
			v[unitLinkerBytes] = float64(st.Linker.Bytes)
		}
		if now := residentBytes(st.Pid); now > 0 {
			v[unitKernelBytes] = float64(now)
		}
		r.results.add(sample{kind: memory, program: s.prog.name, name: name, tool: t.name(), values: v})
	}
	return nil
}
