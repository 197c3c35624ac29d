package watch

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// fakeFile is what the settle machine may learn of a file.
type fakeFile struct {
	wholeAt int // ms from which Settled says yes
	size    int64
}

// steady is a file that is written every 1.5 s until ms.
func steady(path string, ms int) string {
	var events []string
	for at := 1500; at <= ms; at += 1500 {
		events = append(events, fmt.Sprintf("%d whole %s", at, path))
	}
	return strings.Join(events, "; ")
}

// TestSettle runs event scripts against the machine with a clock of its own.
// An event is "MS OP PATH [MOVE]"; a report is "MS PATH,PATH".
func TestSettle(t *testing.T) {
	tests := []struct {
		name   string
		events string
		files  map[string]fakeFile
		locked [2]int // ms range in which index.lock is held
		gather int    // ms
		want   string
	}{
		{
			name:   "lone save is reported at once",
			events: "0 modify x; 0 whole x",
			want:   "0 x",
		},
		{
			name:   "source and test saved together",
			events: "0 whole x; 0 whole y",
			want:   "0 x,y",
		},
		{
			name:   "vim with backup: away, create, write, close, chmod echo",
			events: "0 gone x 7; 1 create x; 1 modify x; 3 whole x; 3 attrib x",
			want:   "3 x",
		},
		{
			name:   "echo after the report",
			events: "0 whole x; 2 attrib x",
			want:   "0 x",
		},
		{
			name:   "chmod alone is reported",
			events: "0 attrib x",
			want:   "50 x",
		},
		{
			name:   "sed -i: temporary file renamed over the target",
			events: "0 create tmp; 0 modify tmp; 1 whole tmp; 2 gone tmp 9; 2 whole x 9",
			want:   "2 x",
		},
		{
			name:   "new file waits for a rename that does not come",
			events: "0 create x; 0 modify x; 1 whole x",
			want:   "6 x",
		},
		{
			name:   "rename of a source file is one report",
			events: "0 gone old 4; 0 whole new 4",
			want:   "20 new,old",
		},
		{
			name:   "removed",
			events: "0 gone x",
			want:   "20 x",
		},
		{
			name:   "removed file that was created since the last report is nothing",
			events: "0 create x; 1 gone x",
			want:   "",
		},
		{
			name:   "writer that never closes",
			events: "0 modify x; 10 modify x; 30 modify x",
			want:   "80 x",
		},
		{
			name:   "closed file that does not parse is shown soon",
			events: "0 whole x",
			files:  map[string]fakeFile{"x": {wholeAt: 1000}},
			want:   "5 x",
		},
		{
			name:   "closed file completed by a second write",
			events: "0 whole x; 3 whole x",
			files:  map[string]fakeFile{"x": {wholeAt: 3}},
			want:   "3 x",
		},
		{
			name:   "open file that does not parse is waited for",
			events: "0 modify x",
			files:  map[string]fakeFile{"x": {wholeAt: 180}},
			want:   "200 x",
		},
		{
			name:   "but not for ever",
			events: "0 modify x",
			files:  map[string]fakeFile{"x": {wholeAt: 1 << 30}},
			want:   "1000 x",
		},
		{
			name:   "burst ends with silence",
			events: "0 whole a; 0 whole b; 0 whole c; 0 whole d; 9 whole e; 20 whole f",
			want:   "35 a,b,c,d,e,f",
		},
		{
			name:   "the first file of a burst leads",
			events: "0 whole a; 5 whole b; 10 whole c; 14 whole d",
			want:   "0 a; 29 b,c,d",
		},
		{
			name:   "gathered: a lone save waits for others",
			events: "0 whole a; 30 whole b; 35 whole c; 44 whole d",
			gather: 10,
			want:   "10 a; 54 b,c,d",
		},
		{
			name:   "gathered: until none comes any more",
			events: "0 whole a; 9 whole a; 18 whole a; 27 whole a",
			gather: 10,
			want:   "37 a",
		},
		{
			name:   "git holds its lock",
			events: "0 whole a; 30 whole b; 60 whole c",
			locked: [2]int{0, 70},
			want:   "75 a,b,c",
		},
		{
			name:   "stale git lock",
			events: "0 whole a; 2500 whole b",
			locked: [2]int{0, 1 << 30},
			want:   "2000 a; 2500 b",
		},
		{
			name:   "long checkout",
			events: "0 whole a; 1500 whole b; 3000 whole c",
			locked: [2]int{0, 3500},
			want:   "3500 a,b,c",
		},
		{
			name:   "stale git lock beside a log",
			events: "0 whole a; " + steady("log", 36000),
			locked: [2]int{0, 1 << 30},
			want:   "30000 a,log; 31500 log; 33000 log; 34500 log; 36000 log",
		},
		{
			name:   "lost events ask for a rescan",
			events: "0 lost -; 5 whole a",
			want:   "20 rescan,a",
		},
	}
	ops := map[string]op{"whole": opWhole, "create": opCreate, "modify": opModify, "attrib": opAttrib, "gone": opGone, "found": opFound, "lost": opLost}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			base := time.Unix(1000, 0)
			clock := 0
			s := newSettle(settleOptions{
				Settled: func(p string) bool { return tt.files[p].wholeAt <= clock },
				Gather:  time.Duration(tt.gather) * time.Millisecond,
				Locked:  func() bool { return tt.locked[0] <= clock && clock < tt.locked[1] },
				Stat: func(p string) stamp {
					return stamp{isPresent: true, size: tt.files[p].size, mode: os.FileMode(0o644)}
				},
			})
			var events []event
			for _, line := range strings.Split(tt.events, ";") {
				var ms int
				var name, path string
				var move uint32
				n, _ := fmt.Sscan(line, &ms, &name, &path, &move)
				if n < 3 || ops[name] == 0 {
					t.Fatalf("bad event %q", line)
				}
				events = append(events, event{path: path, op: ops[name], move: move, at: base.Add(time.Duration(ms) * time.Millisecond)})
			}
			var got []string
			for ; clock < 40000; clock++ {
				now := base.Add(time.Duration(clock) * time.Millisecond)
				for len(events) > 0 && !events[0].at.After(now) {
					s.add(events[0])
					events = events[1:]
				}
				// Only look when the machine asked to be looked at.
				if next := s.next(); next.IsZero() || next.After(now) {
					continue
				}
				b, ok := s.take(now, false)
				if !ok {
					continue
				}
				paths := strings.Join(b.Paths, ",")
				if b.Rescan {
					paths = strings.TrimSuffix("rescan,"+paths, ",")
				}
				got = append(got, fmt.Sprintf("%d %s", clock, paths))
			}
			if g := strings.Join(got, "; "); g != tt.want {
				t.Errorf("got  %q\nwant %q", g, tt.want)
			}
			if !s.next().IsZero() {
				t.Errorf("machine still waits at the end")
			}
		})
	}
}

func TestSettleFlushReportsEverything(t *testing.T) {
	s := newSettle(settleOptions{Locked: func() bool { return true }, Settled: func(string) bool { return false }})
	now := time.Unix(1000, 0)
	s.add(event{path: "a", op: opModify, at: now})
	s.add(event{path: "b", op: opGone, at: now})
	b, ok := s.take(now, true)
	if !ok || strings.Join(b.Paths, ",") != "a,b" {
		t.Fatalf("flush gave %v, %v", b, ok)
	}
	if _, ok := s.take(now, true); ok {
		t.Error("second flush reported again")
	}
}
