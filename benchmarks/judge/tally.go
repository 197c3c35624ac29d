package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// tally counts what was judged.
type tally struct {
	differences int
	judged      int
	compared    int   // with go build
	unexplained int   // fallbacks whose reason hr why did not name
	checks      int64 // of the incremental linker
	kinds       map[string]*kindTally
	fast        []time.Duration // builds without a fallback
	fallback    []time.Duration
	goFast      []time.Duration // go build over the same edits
	goFallback  []time.Duration
}

// kindTally counts one kind of edit.
type kindTally struct {
	fast, fallback, failed, nothing int
	reasons                         map[string]int
}

func newTally() *tally { return &tally{kinds: map[string]*kindTally{}} }

// note counts one judged edit.
func (t *tally) note(kind string, st state, want reference) {
	t.judged++
	if want.took > 0 {
		t.compared++
	}
	k := t.kinds[kind]
	if k == nil {
		k = &kindTally{reasons: map[string]int{}}
		t.kinds[kind] = k
	}
	switch {
	case st.failed:
		k.failed++
	case !st.fresh:
		k.nothing++
	case st.outcome.Fallback != "":
		k.fallback++
		k.reasons[st.outcome.Fallback]++
		if want.took > 0 {
			t.fallback = append(t.fallback, st.outcome.took())
			t.goFallback = append(t.goFallback, want.took)
		}
	default:
		k.fast++
		if st.outcome.Linker != "" && want.took > 0 { // a program that was known costs neither anything
			t.fast = append(t.fast, st.outcome.took())
			t.goFast = append(t.goFast, want.took)
		}
	}
}

// add joins another tally.
func (t *tally) add(u *tally) {
	t.differences += u.differences
	t.judged += u.judged
	t.compared += u.compared
	t.unexplained += u.unexplained
	t.checks += u.checks
	t.fast, t.fallback = append(t.fast, u.fast...), append(t.fallback, u.fallback...)
	t.goFast, t.goFallback = append(t.goFast, u.goFast...), append(t.goFallback, u.goFallback...)
	for name, k := range u.kinds {
		mine := t.kinds[name]
		if mine == nil {
			mine = &kindTally{reasons: map[string]int{}}
			t.kinds[name] = mine
		}
		mine.fast += k.fast
		mine.fallback += k.fallback
		mine.failed += k.failed
		mine.nothing += k.nothing
		for r, n := range k.reasons {
			mine.reasons[r] += n
		}
	}
}

func median(d []time.Duration) time.Duration {
	if len(d) == 0 {
		return 0
	}
	d = slices.Sorted(slices.Values(d))
	return d[len(d)/2].Round(time.Millisecond)
}

// print shows the tally as a table.
func (t *tally) print(w io.Writer) {
	fmt.Fprintf(w, "%d edits judged, %d differences; median of %d fast builds %s where go build took %s, of %d by go build %s (%s)\n",
		t.judged, t.differences, len(t.fast), median(t.fast), median(t.goFast), len(t.fallback), median(t.fallback), median(t.goFallback))
	if t.compared < t.judged {
		fmt.Fprintf(w, "%d of them compared with go build, the others with what the program said before\n", t.compared)
	}
	if t.checks > 0 {
		fmt.Fprintf(w, "%d links verified by the incremental linker's checker\n", t.checks)
	}
	if t.unexplained > 0 {
		fmt.Fprintf(w, "hr why did not name the reason of %d fallbacks\n", t.unexplained)
	}
	fmt.Fprintf(w, "%-22s %5s %5s %5s %5s %5s\n", "kind", "all", "fast", "build", "fails", "none")
	for _, name := range slices.Sorted(maps.Keys(t.kinds)) {
		k := t.kinds[name]
		fmt.Fprintf(w, "%-22s %5d %5d %5d %5d %5d", name, k.fast+k.fallback+k.failed+k.nothing, k.fast, k.fallback, k.failed, k.nothing)
		for _, r := range slices.Sorted(maps.Keys(k.reasons)) {
			fmt.Fprintf(w, "  %d× %s", k.reasons[r], r)
		}
		fmt.Fprintln(w)
	}
}
