package front

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hotreflex/hr/astcheck"
	"github.com/hotreflex/hr/internal/graph"
	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/internal/protocol"
)

var update = flag.Bool("update", false, "write the stories anew: then read each difference")

// story is a sequence of inputs; testdata/NAME.txt has the acts that follow
// from each, as people read them.
type story struct {
	name string
	opt  options
	in   []input
}

// Times, files, programs and answers of the stories.
var (
	t0    = time.Unix(1_000_000_000, 0)
	k1    = order.Artifact{Key: "k1", Path: "/bin/k1"}
	k2    = order.Artifact{Key: "k2", Path: "/bin/k2"}
	a     = "/m/a.go"
	b     = "/m/b.go"
	exit1 = exit{code: 1, status: 1, text: "exit code 1"}
)

func at(seconds int) time.Time { return t0.Add(time.Duration(seconds) * time.Second) }

func change(path string, v astcheck.Verdict, why string) graph.Change {
	c := graph.Change{Path: path, Verdict: v, Why: why}
	if v == astcheck.Broken {
		c.Syntax = &astcheck.SyntaxError{File: path, Line: 3, Col: 1, Msg: "expected }"}
	}
	return c
}

func touched(path string) graph.Change { return change(path, astcheck.Same, "same content") }
func body(path string) graph.Change    { return change(path, astcheck.Body, "body changed") }
func unused(path string) graph.Change  { return change(path, astcheck.Unused, "test file") }

func save(paths ...string) saved { return saved{batch{paths: paths, first: at(10)}} }

func look(restart []string, changes ...graph.Change) judged {
	j := judged{batch: batch{first: at(10)}, changes: changes, restart: restart, at: at(10).Add(time.Millisecond)}
	for _, c := range changes {
		j.batch.paths = append(j.batch.paths, c.Path)
	}
	return j
}

func gives(seq uint64, art order.Artifact) answered {
	return answered{seq: seq, number: seq, out: &order.Outcome{Artifact: art, Compiled: 1, Linker: "incremental", Changes: []graph.Change{body(a)}}}
}

func opens(seq uint64, art order.Artifact) answered {
	g := gives(seq, art)
	g.open = true
	return g
}

func fails(seq uint64, message string) refused {
	e := &protocol.Error{Code: protocol.CodeBuild, Message: message}
	return refused{seq: seq, backend: true, at: at(11), err: e, failure: &protocol.Failure{Seq: seq, Cause: e}}
}

func gone(seq uint64) refused {
	return refused{seq: seq, backend: true, at: at(12), lost: true, err: &protocol.Error{Code: protocol.CodeAbsent, Message: "gone"}}
}

func runs(gen int, l launch) launched {
	return launched{launch: l, gen: gen, pid: 100 + gen, ready: true, listens: true, kept: true, at: at(13), env: "e"}
}

func dies(gen int, l launch, e exit) launched {
	return launched{launch: l, gen: gen, pid: 100 + gen, done: true, exit: e, kept: true, at: at(13), env: "e", output: []string{"panic: no"}}
}

var (
	first  = launch{artifact: k1, from: t0, out: &order.Outcome{Artifact: k1}}
	second = launch{artifact: k2, from: at(10), names: []string{"a.go"}, out: &order.Outcome{Artifact: k2, Compiled: 1}}
	// up is how most stories begin: the program of k1 runs, and its source is known.
	up = []input{begun{t0}, opens(1, k1), runs(1, first), pictured{at(1), 1}, look(nil)}
)

func after(in ...input) []input { return append(slices.Clone(up), in...) }

var stories = []story{
	{"start", options{}, up},
	{"start_early", options{}, []input{begun{t0}, built{1, k1}, built{1, k1}, runs(1, launch{artifact: k1, from: t0}),
		answered{seq: 1, open: true, number: 1, out: &order.Outcome{Artifact: order.Artifact{Key: "k1", Path: "/bin/final"}, Built: true}}, pictured{at(1), 1}, pictured{at(1), 1}}},
	{"start_no_build", options{}, []input{begun{t0}, refused{seq: 1, open: true, backend: true, at: at(1), err: fails(1, "# m\na.go:1: no").err, failure: fails(1, "# m\na.go:1: no").failure}, save(a), answered{seq: 2, number: 2, whole: true, out: gives(2, k1).out}, runs(1, first)}},
	{"start_no_hope", options{}, []input{begun{t0}, refused{seq: 1, open: true, at: at(1), err: &protocol.Error{Code: protocol.CodeUsage, Message: "no main package"}}}},
	{"save", options{}, after(save(a), look(nil, body(a)), gives(2, k2), runs(2, second))},
	{"save_whole", options{}, after(save(a), look(nil, body(a)), answered{seq: 2, number: 5, whole: true, out: gives(2, k2).out}, runs(2, second))},
	{"save_nothing", options{}, after(save(a, b), look(nil, change(a, astcheck.Same, "only comments"), unused(b)))},
	{"save_noop_restart", options{noopRestart: true}, after(save(a), look(nil, change(a, astcheck.Same, "only comments")), save(a), look(nil, touched(a)))},
	{"save_superseded", options{}, after(save(a), look(nil, body(a)), save(b), look(nil, body(b)), gives(2, k2), gives(3, k2))},
	{"save_undone_in_flight", options{}, after(save(a), look(nil, body(a)), save(a), look(nil, touched(a)), gives(3, k1))},
	{"save_unused_in_flight", options{}, after(save(a), look(nil, body(a)), save(b), look(nil, unused("/m/b_test.txt")))},
	{"save_in_start", options{}, after(save(a), look(nil, body(a)), gives(2, k2), save(b), look(nil, body(b)), gives(3, k1), launched{launch: second, err: errors.New("cut"), at: at(13)}, runs(2, first))},
	{"save_before_picture", options{}, []input{begun{t0}, save(a), save(b), opens(1, k1), runs(1, first), pictured{at(1), 1}, look([]string{"x.env"}, touched(a)), look(nil, touched(a))}},
	{"save_before_picture_matters", options{}, []input{begun{t0}, save(a), opens(1, k1), runs(1, first), pictured{at(1), 1},
		judged{batch: batch{paths: []string{a}, first: at(10), blind: true}, changes: []graph.Change{body(a)}, restart: []string{"x.env"}}, gives(2, k2), runs(2, second)}},
	{"save_before_picture_touched", options{}, []input{begun{t0}, save(a), opens(1, k1), runs(1, first), pictured{at(1), 1},
		judged{batch: batch{paths: []string{a}, first: at(10), blind: true}, changes: []graph.Change{unused(a)}, restart: []string{"x.env"}}, look(nil, unused(a))}},
	{"broken", options{dir: "/m"}, after(save(a), look(nil, change(a, astcheck.Broken, "does not parse")), save(b), look(nil, body(b)), save(a), look(nil, body(a)), scanned{look(nil, body(a)), []graph.Change{body(a), body(b)}})},
	{"broken_gone", options{dir: "/m"}, after(save(a), look(nil, change(a, astcheck.Broken, "does not parse")),
		judged{batch: batch{rescan: true, first: at(10)}, gone: []string{a}, at: at(10)}, scanned{look(nil), nil})},
	{"broken_restored", options{dir: "/m"}, after(save(a), look(nil, change(a, astcheck.Broken, "does not parse")), save(a), look([]string{"x.env"}, touched(a)), scanned{look([]string{"x.env"}, touched(a)), nil})},
	{"broken_in_flight", options{}, after(save(a), look(nil, body(a)), save(b), look(nil, change(b, astcheck.Broken, "does not parse")), gives(2, k2), save(b), look(nil, touched(b)), scanned{look(nil, touched(b)), []graph.Change{body(a)}})},
	{"broken_nothing_lives", options{}, after(exited{exit1}, save(a), look(nil, change(a, astcheck.Broken, "does not parse")))},
	{"no_build", options{dir: "/m"}, after(save(a), look(nil, body(a)), fails(2, "# m\na.go:3: undefined: x"), save(a), look(nil, touched(a)), scanned{look(nil, touched(a)), nil})},
	{"no_build_mended", options{dir: "/m"}, after(save(a), look(nil, body(a)), fails(2, "# m\na.go:3: undefined: x"), save(b), look(nil, unused(b)), scanned{look(nil, unused(b)), []graph.Change{body(a)}}, gives(3, k2), runs(2, second))},
	{"no_build_embed", options{dir: "/m"}, after(save(a), look(nil, body(a)), fails(2, "a.go:3:12: pattern e/*: no matching files found"),
		save("/m/e.txt"), look(nil, unused("/m/e.txt")), scanned{look(nil, unused("/m/e.txt")), nil}, save("/n/e.txt"), look(nil, unused("/n/e.txt")))},
	{"no_build_nothing_lives", options{}, after(exited{exit1}, save(a), look(nil, body(a)), fails(2, "no"))},
	{"no_build_doubt", options{}, after(save(a), look(nil, body(a)), save(b), look(nil, unused(b)), fails(2, "no"), fails(3, "no"))},
	{"no_build_syntax", options{dir: "/m"}, after(save(a), look(nil, body(a)), refused{seq: 2, backend: true, at: at(11), err: fails(2, "a.go:1: no").err,
		failure: &protocol.Failure{Cause: fails(2, "no").err, Build: &order.Error{Syntax: &astcheck.SyntaxError{File: a, Line: 1, Msg: "no"}}}})},
	{"no_build_while_starting", options{}, after(save(a), look(nil, body(a)), gives(2, k2), save(b), look(nil, body(b)), fails(3, "no"), runs(2, second))},
	{"same_program", options{}, after(save(a), look(nil, body(a)), gives(2, k1))},
	{"same_program_due", options{}, after(save(a), look([]string{"x.env"}, body(a)), gives(2, k1), runs(2, launch{artifact: k1, names: []string{"a.go", "x.env"}, from: at(10), out: gives(2, k1).out}))},
	{"start_fails", options{}, after(save(a), look(nil, body(a)), gives(2, k2), dies(2, second, exit1), runs(3, launch{artifact: k1, from: at(13), back: true}), save(a), look(nil, touched(a)))},
	{"start_fails_off", options{keepGood: choice{given: true}}, after(save(a), look(nil, body(a)), gives(2, k2), dies(2, second, exit1))},
	{"start_fails_first", options{}, []input{begun{t0}, opens(1, k1), dies(1, first, exit1), pictured{at(1), 1}, look(nil)}},
	{"start_fails_back_too", options{}, after(save(a), look(nil, body(a)), gives(2, k2), dies(2, second, exit1), dies(3, launch{artifact: k1, from: at(13), back: true}, exit1))},
	{"start_fails_good_gone", options{}, after(save(a), look(nil, body(a)), gives(2, k2), launched{launch: second, gen: 2, pid: 102, done: true, exit: exit1, kept: true, goodGone: true, at: at(13), env: "e"})},
	{"start_fails_same_other_env", options{}, after(restart{names: []string{"x.env"}, at: at(10)}, launched{launch: launch{artifact: k1, from: at(10), names: []string{"x.env"}, rerun: true}, gen: 2, pid: 102, done: true, exit: exit1, kept: true, at: at(13), env: "f"})},
	{"start_not_ready", options{readyGiven: true, readyAsked: true}, after(save(a), look(nil, body(a)), gives(2, k2), launched{launch: second, gen: 2, pid: 102, err: fmt.Errorf("wait: %w", errors.New("it answers 500")), kept: true, at: at(13), env: "e"})},
	{"start_no_listener", options{readyTCP: true, readyGiven: true}, after(save(a), look(nil, body(a)), gives(2, k2), launched{launch: second, gen: 2, pid: 102, at: at(13), env: "e"})},
	{"start_no_listener_timeout", options{readyTimeout: true}, after(save(a), look(nil, body(a)), gives(2, k2), launched{launch: second, gen: 2, pid: 102, at: at(13), env: "e"})},
	{"start_ends_well", options{}, []input{begun{t0}, opens(1, k1), launched{launch: first, gen: 1, pid: 101, done: true, exit: exit{text: "exit code 0"}, at: at(2), env: "e"}, exited{exit{text: "exit code 0"}}}},
	{"start_interrupted", options{}, []input{begun{t0}, opens(1, k1), launched{launch: first, gen: 1, pid: 101, done: true, exit: exit{code: 130, interrupted: true}, at: at(2)}, exited{exit{interrupted: true}}}},
	{"start_impossible", options{}, after(restart{who: 7, names: []string{"hr restart"}, at: at(10)}, launched{launch: launch{artifact: k1}, err: errors.New("exec format error"), at: at(13)}, restart{who: 8, at: at(14)}, restart{at: at(14)})},
	{"start_in_trouble", options{}, after(save(a), look(nil, body(a)), gives(2, k2), save(b), look(nil, change(b, astcheck.Broken, "does not parse")), runs(2, second))},
	{"exit", options{}, after(exited{exit1}, exited{exit1}, save(a), look(nil, body(a)), gives(2, k2), runs(2, second))},
	{"restart", options{}, after(restart{who: 7, names: []string{"hr restart"}, at: at(10)}, restart{who: 8, names: []string{"hr restart"}, at: at(10)}, launched{launch: launch{artifact: k1, rerun: true}, err: errors.New("cut"), at: at(13)}, runs(2, launch{artifact: k1, rerun: true, from: at(10)}))},
	{"restart_in_start", options{}, after(save(a), look(nil, body(a)), gives(2, k2), restart{who: 7, names: []string{"hr restart"}, at: at(10)}, runs(2, second), runs(3, launch{artifact: k2, rerun: true, names: []string{"a.go", "hr restart"}, out: second.out}))},
	{"restart_for_file", options{}, after(save("/m/x.env"), look([]string{"x.env"}), runs(2, launch{artifact: k1, rerun: true, names: []string{"x.env"}, from: at(10)}))},
	{"restart_for_file_in_flight", options{}, after(save(a), look(nil, body(a)), save("/m/x.env"), look([]string{"x.env"}), gives(2, k2), runs(2, second))},
	{"restart_for_file_no_build", options{}, after(save(a), look(nil, body(a)), save("/m/x.env"), look([]string{"x.env"}), fails(2, "no"))},
	{"restart_for_file_broken", options{}, after(save(a), look([]string{"x.env"}, change(a, astcheck.Broken, "does not parse")))},
	{"rebuild", options{}, after(rebuild{[]string{"rebuild"}, at(10)}, gives(2, k1), begun{at(20)}, rebuild{[]string{"rebuild"}, at(21)})},
	{"profile", options{}, after(save(a), look(nil, body(a)), changed{[]string{"profile test"}, at(10)}, changed{nil, at(11)}, opens(4, k2), runs(2, second))},
	{"hrd_lost", options{}, after(lost{at(10)}, lost{at(10)}, save(a), look(nil, body(a)), opens(2, k2), runs(2, second), pictured{at(20), 1}, look(nil))},
	{"hrd_lost_in_flight", options{}, after(save(a), look(nil, body(a)), gone(2), lost{at(12)}, opens(3, k2), runs(2, second))},
	{"hrd_lost_again", options{}, after(save(a), look(nil, body(a)), gone(2), opens(3, k2), runs(2, second), pictured{at(20), 1}, look(nil), save(a), look(nil, body(a)), gone(4))},
	{"hrd_lost_before_picture", options{}, []input{begun{t0}, opens(1, k1), lost{at(1)}, opens(2, k1), runs(1, first)}},
	{"hrd_told_to_stop", options{}, after(save(a), look(nil, body(a)), refused{seq: 2, backend: true, at: at(11), err: &protocol.Error{Code: protocol.CodeCanceled, Message: "hrd stops"}, failure: &protocol.Failure{Cause: &protocol.Error{Code: protocol.CodeCanceled, Message: "hrd stops"}}})},
	{"alone", options{}, []input{begun{t0}, answered{seq: 1, open: true, local: true, number: 1, out: gives(1, k1).out}, lost{at(2)}, refused{seq: 1, local: true, backend: true, lost: true, at: at(3), err: &protocol.Error{Code: protocol.CodeInternal, Message: "a fault"}}}},
	{"linker_refused", options{wantsLinker: true}, after(save(a), look(nil, body(a)), answered{seq: 2, number: 2, out: &order.Outcome{Artifact: k2, Refused: "PIE", Text: "said\n", Warnings: []string{"no file has the tag x"}}},
		runs(2, second), save(a), look(nil, body(a)), answered{seq: 3, number: 3, out: &order.Outcome{Artifact: k2, Refused: "PIE"}})},
}

func TestStories(t *testing.T) {
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			m := model{opt: s.opt}
			var out strings.Builder
			for _, in := range s.in {
				next, acts := m.on(in)
				m = next
				fmt.Fprintf(&out, "%s\n", strings.TrimPrefix(fmt.Sprintf("%T", in), "front."))
				for _, act := range acts {
					fmt.Fprintf(&out, "    %s\n", strings.ReplaceAll(actText(act), "\n", "\n    | "))
				}
			}
			file := filepath.Join("testdata", s.name+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if out.String() != string(want) {
				t.Errorf("got\n%s\nwant\n%s", out.String(), want)
			}
		})
	}
}

// actText is an act as a story has it.
func actText(act act) string {
	name := strings.TrimPrefix(fmt.Sprintf("%T", act), "front.")
	switch a := act.(type) {
	case open:
		return fmt.Sprintf("open %d alone=%v", a.seq, a.alone)
	case build:
		return fmt.Sprintf("build %d have=%d good=%s", a.seq, a.have, a.good.Key)
	case hangUp:
		return fmt.Sprintf("hangUp backend=%v", a.backend)
	case judge:
		return fmt.Sprintf("judge %v rescan=%v blind=%v broken=%v", a.batch.paths, a.batch.rescan, a.batch.blind, a.broken)
	case apply:
		return fmt.Sprintf("apply %d changes", len(a.changes))
	case start:
		l := a.launch
		return fmt.Sprintf("start %s for %v rerun=%v back=%v built=%v from=%d", l.artifact.Path, l.names, l.rerun, l.back, l.out != nil, l.from.Unix()-t0.Unix())
	case explain:
		return fmt.Sprintf("explain %q", a.text)
	case tell:
		return fmt.Sprintf("tell %s: %s", a.event.Name(), a.event.Line().Text)
	case nothing:
		return fmt.Sprintf("nothing to do: %d changes", len(a.changes))
	case note:
		return "note " + strings.TrimPrefix(fmt.Sprintf("%T", a.what), "front.")
	case reply:
		return fmt.Sprintf("reply to %d: #%d %d %s", a.who, a.gen, a.pid, a.err)
	case quit:
		return fmt.Sprintf("quit %d %v", a.code, a.err)
	}
	return name
}
