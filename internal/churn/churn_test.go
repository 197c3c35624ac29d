package churn

import (
	"testing"
	"time"
)

// run lets a path change at given times and acts as who asks does: at once or when
// it is due. It returns when it acted, in seconds.
func run(tr *Tracker, start time.Time, at []time.Duration, until time.Duration, confirm bool) (acts []time.Duration) {
	const step = 50 * time.Millisecond
	did := func(now time.Time) {
		acts = append(acts, now.Sub(start))
	}
	for d := time.Duration(0); d <= until; d += step {
		now := start.Add(d)
		for len(at) > 0 && at[0] <= d {
			at = at[1:]
			act, ask := tr.Saw("log", now)
			if ask && confirm {
				tr.Confirm("log", now)
			}
			if act {
				did(now)
			}
		}
		if next := tr.Next(); !next.IsZero() && !next.After(now) {
			if len(tr.Due(now)) > 0 {
				did(now)
			}
		}
	}
	return acts
}

func every(interval, until time.Duration) (at []time.Duration) {
	for d := interval; d <= until; d += interval {
		at = append(at, d)
	}
	return at
}

func TestChanges(t *testing.T) {
	const ms, s = time.Millisecond, time.Second
	for _, c := range []struct {
		name        string
		at          []time.Duration
		until       time.Duration
		least, most int           // acts
		restless    bool          // at the end
		late        time.Duration // the last change is acted on within, 0 for whatever
	}{
		{"one save", every(s, s), 10 * s, 1, 1, false, 50 * ms},
		{"a person's saves", every(4*s, 60*s), 62 * s, 15, 15, false, 50 * ms},
		{"a log every 300 ms", every(300*ms, 60*s), 60 * s, 8, 12, true, 0},
		{"a log every 1,500 ms", every(1500*ms, 60*s), 60 * s, 8, 12, true, 0},
		{"a log that ends", every(300*ms, 20*s), 130 * s, 6, 12, false, s},
		{"an editor that saves by itself and stops", every(500*ms, 20*s), 130 * s, 6, 14, false, s},
		{"the same for minutes", every(500*ms, 180*s), 182 * s, 6, 20, true, s},
		{"slow, but never silent", every(8*s, 400*s), 400 * s, 30, 40, true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr, start := &Tracker{}, time.Unix(1000, 0)
			acts := run(tr, start, c.at, c.until, true)
			if len(acts) < c.least || len(acts) > c.most {
				t.Errorf("acted %d times, want %d to %d: %v", len(acts), c.least, c.most, acts)
			}
			if got := len(tr.Stories(start.Add(c.until))) > 0; got != c.restless {
				t.Errorf("restless at the end: %v, want %v", got, c.restless)
			}
			last, acted := c.at[len(c.at)-1], acts[len(acts)-1]
			if c.late > 0 && (acted < last || acted-last > c.late) {
				t.Errorf("the last change, at %v, was acted on at %v", last, acted)
			}
		})
	}
}

// TestOwn has the program write its input some time after each of its starts.
func TestOwn(t *testing.T) {
	for _, after := range []time.Duration{100 * time.Millisecond, 3 * time.Second} {
		tr, now := &Tracker{}, time.Unix(1000, 0)
		end := now.Add(3 * time.Minute)
		starts := 1
		tr.Started(now)
		told := false
		for now.Before(end) {
			now = now.Add(after)
			act, ask := tr.Saw("main.go", now)
			if ask {
				told = tr.Confirm("main.go", now) || told
			}
			if !act {
				now = tr.Next()
				if now.IsZero() || len(tr.Due(now)) != 1 {
					t.Fatal("what was put off never comes")
				}
			}
			starts++
			tr.Started(now)
		}
		if starts > 22 || !told {
			t.Errorf("%v after each start: %d starts in 3 minutes, told: %v", after, starts, told)
		}
		if st := tr.Stories(now); len(st) != 1 || !st[0].Own {
			t.Errorf("%v after each start: %+v", after, st)
		}
	}
}

// TestTookAll lets a build for another reason take in what waits.
func TestTookAll(t *testing.T) {
	tr, now := &Tracker{}, time.Unix(1000, 0)
	for range many {
		now = now.Add(100 * time.Millisecond)
		if _, ask := tr.Saw("log", now); ask {
			tr.Confirm("log", now)
		}
	}
	tr.Saw("log", now)
	if tr.Next().IsZero() {
		t.Fatal("nothing waits")
	}
	if act, _ := tr.Saw("main.go", now); !act {
		t.Error("another file has to wait as well")
	}
	tr.TookAll()
	if !tr.Next().IsZero() || len(tr.Due(now.Add(time.Hour))) > 0 {
		t.Error("it still waits")
	}
}

// TestNobodyWrites has a script save at once after each restart: nothing is put
// off, and nobody is asked to look all the time.
func TestNobodyWrites(t *testing.T) {
	tr, now, asked := &Tracker{}, time.Unix(1000, 0), 0
	for range 200 {
		tr.Started(now)
		now = now.Add(30 * time.Millisecond)
		act, ask := tr.Saw("leaf.go", now)
		if !act {
			t.Fatal("a save was put off")
		}
		if ask {
			asked++
		}
	}
	if asked > 7 {
		t.Errorf("asked %d times", asked)
	}
}
