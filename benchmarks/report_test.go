package main

import (
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func sampleResults() *results {
	r := newResults([]fact{{"goos", "linux"}, {"cpu", "A & B <fast>: 2 GHz"}, {"cores", "2"}, {"go", "go1.26.8"}, {"commit", "abc"}}, 2)
	for i, ms := range []float64{40, 44, 50} {
		r.add(sample{editCase, "ginsvc", "leaf-body", "hr", values{unitTime: ms * 1e6, unitRefused: float64(i), unitLink: 10e6}})
	}
	r.add(sample{editCase, "ginsvc", "leaf-body", "air", values{unitTime: 1650.5e6, unitRefused: 3}})
	r.add(sample{editCase, "caddy", "body", "go-build", values{unitTime: 12.34e9}})
	for i, ms := range []float64{1850, 1840, 1900} { // 100, 70 and 75 beside the compile
		r.add(sample{editCase, "caddy", "body", "hr", values{unitTime: ms * 1e6, unitCompile: []float64{1750e6, 1770e6, 1825e6}[i]}})
	}
	r.add(sample{editCase, "caddy", "body", "compile-alone", values{unitTime: 1760e6}})
	r.add(sample{quietCase, "ginsvc", "comment", "hr", values{unitTime: 1e6, unitTools: 0, unitRestarts: 0}})
	r.add(sample{quietCase, "ginsvc", "comment", "hr", values{unitTime: 2e6, unitTools: 1, unitRestarts: 0}})
	r.add(sample{startCase, "ginsvc", "unchanged", "exec", values{unitTime: 5e6}})
	r.add(sample{startCase, "ginsvc", "unchanged", "hr", values{unitTime: 19e6}})
	for i := range 3 {
		r.add(sample{loadCase, "ginsvc", "load", "hr", values{unitTime: 30e6, unitLongest: float64(20+i) * 1e6, unitRequests: 60, unitRefused: 0, unitDropped: 0}})
		r.add(sample{loadCase, "ginsvc", "load", "air", values{unitTime: 2e9, unitLongest: 9e6, unitRequests: 400, unitRefused: float64(i), unitDropped: 1}})
	}
	r.add(sample{linkCase, "caddy", "whole-cgo0", "go-link", values{unitTime: 2e9}})
	r.add(sample{linkCase, "caddy", "exports-cgo0", "hr", values{unitTime: 80e6, unitPackages: 27}})
	r.add(sample{watchCase, "reflex", "idle", "hr", values{unitIdle: 120e3}})
	r.add(sample{watchCase, "reflex", "idle", "reflex", values{unitIdle: 300e3}})
	r.note("air failed: no line")
	return r
}

func TestBenchTextReadsBack(t *testing.T) {
	r := sampleResults()
	got, err := readBench(strings.NewReader(r.bench()))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, r) {
		t.Errorf("read back\n%+v\nwant\n%+v", got, r)
	}
	const line = "BenchmarkEdit/program=ginsvc/case=leaf-body/tool=air-2\t1\t1650500000 ns/op\t3 refused/op\n"
	if !strings.Contains(r.bench(), line) {
		t.Errorf("no line %q in\n%s", line, r.bench())
	}
}

func TestReadBenchRefuses(t *testing.T) {
	for _, text := range []string{
		"nonsense",
		"BenchmarkEdit/program=a-2 1 5",
		"BenchmarkEdit/program=a 1 5 ns/op",
		"BenchmarkEdit/what=a-2 1 5 ns/op",
		"BenchmarkEdit/tool=a-2 1 x ns/op",
	} {
		if _, err := readBench(strings.NewReader(text)); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

func TestMedian(t *testing.T) {
	tests := []struct {
		in   []float64
		want float64
	}{
		{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 2, 9}, 3},
	}
	for _, test := range tests {
		if got := median(test.in); got != test.want {
			t.Errorf("median(%v) = %v, want %v", test.in, got, test.want)
		}
	}
}

func TestShow(t *testing.T) {
	tests := []struct {
		unit string
		in   float64
		want string
	}{
		{unitTime, 0.64e6, "0.6 ms"}, {unitTime, 43.4e6, "43 ms"}, {unitTime, 3.4e9, "3400 ms"}, {unitTime, 12.34e9, "12.3 s"},
		{unitLink, 9e6, "9.0 ms"}, {unitBytes, 21.77e6, "21.8 MB"}, {unitRefused, 4, "4"}, {unitRefused, 1234.5, "1234"},
	}
	for _, test := range tests {
		if got := show(test.unit, test.in); got != test.want {
			t.Errorf("show(%s, %v) = %q, want %q", test.unit, test.in, got, test.want)
		}
	}
}

func TestJudge(t *testing.T) {
	r := sampleResults()
	hr := key{kind: editCase, program: "ginsvc", name: "leaf-body", tool: "hr"}
	air := hr
	air.tool = "air"
	missing := hr
	missing.tool = "reflex"
	start := key{kind: startCase, program: "ginsvc", name: "unchanged", tool: "hr"}
	exec := start
	exec.tool = "exec"
	tools := key{kind: quietCase, program: "ginsvc", name: "comment", tool: "hr", unit: unitTools}
	tests := []struct {
		name           string
		target         target
		known, reached bool
	}{
		{"ratio reached", target{value: hr, against: air, ratio: 0.03}, true, true},
		{"ratio missed", target{value: hr, against: air, ratio: 0.02}, true, false},
		{"other side unknown", target{value: hr, against: missing, ratio: 9}, false, false},
		{"own side unknown", target{value: missing, plus: 1e12}, false, false},
		{"sum reached", target{value: start, against: exec, ratio: 1, plus: 15e6}, true, true},
		{"sum missed", target{value: start, against: exec, ratio: 1, plus: 13e6}, true, false},
		{"median of a rare event", target{value: tools, plus: 0.5}, true, true},
		{"worst of a rare event", target{value: tools, worst: true}, true, false},
	}
	for _, test := range tests {
		v := r.judge(test.target)
		if v.known != test.known || v.reached != test.reached {
			t.Errorf("%s: known %v, reached %v (%v against %v), want %v, %v", test.name, v.known, v.reached, v.got, v.may, test.known, test.reached)
		}
	}
}

func TestTable(t *testing.T) {
	got := sampleResults().table()
	for _, want := range []string{
		"| ginsvc, body of a leaf, against air (default) | 44 ms | 1650 ms | 0.027 | ≤ 0.20 | yes |",
		"| a leaf imported by 200 packages, body, against go build + exec | not measured |",
		"| ginsvc unchanged, against exec of the binary | 19 ms | 5.0 ms | 3.80 | ≤ that + 15 ms | yes |",
		"| caddy, CGO_ENABLED=0: a relink with 27 packages replaced | 80 ms | 2000 ms | 0.040 | ≤ 0.10 | yes |",
		"| longest wait of all | 22 ms |  |  | ≤ 60 ms | yes |",
		"| connections refused, of the worst restart | 0 |  |  | none | yes |",
		"| processor time of the idle watcher on 20,000 files, against reflex | 120 µs/s | 300 µs/s | 0.40 | ≤ that + 250 µs/s | yes |",
		"| hr | 3 | 180 | 0 | 0 | 0 | 22 ms | 30 ms |",
		"| air (default) | 3 | 1200 | 3 | 3 | 2 | 9.0 ms | 2000 ms |",
		"| comment only: tools run | 1 |  |  | none | **no** |",
		"| ginsvc | leaf-body | 44 ms |  |  | 1650 ms |",
		"| caddy | body | 1850 ms | 1760 ms | 12.3 s |  |",
		"| caddy, body in modules/caddyhttp, against the compiler alone on that package | 1850 ms | 1760 ms | 1.05 | ≤ that + 80 ms | **no** |",
		"| caddy, body in modules/caddyhttp, less the compile that hr itself reports for the same save | 75 ms |  |  | ≤ 80 ms | yes |",
		"go go1.26.8",
		"- air failed: no line",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// rect is what the test needs of the chart's bars.
type rect struct {
	Class string  `xml:"class,attr"`
	Width float64 `xml:"width,attr"`
}

func TestChart(t *testing.T) {
	r := sampleResults()
	r.add(sample{editCase, "ginsvc", "leaf-body", "reflex", values{unitTime: 825.25e6}})
	chart := r.chart()
	d := xml.NewDecoder(strings.NewReader(chart))
	for {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("the chart is no XML: %v\n%s", err, chart)
		}
	}
	var svg struct {
		Rects []rect   `xml:"rect"`
		Texts []string `xml:"text"`
	}
	if err := xml.Unmarshal([]byte(chart), &svg); err != nil {
		t.Fatal(err)
	}
	// The card, three bars of ginsvc, two of caddy: the compiler alone answers nothing.
	if len(svg.Rects) != 6 {
		t.Fatalf("%d rectangles, want 6", len(svg.Rects))
	}
	hr, reflex, air := svg.Rects[1], svg.Rects[2], svg.Rects[3]
	if hr.Class != "hr" || air.Class != "rival" {
		t.Errorf("classes %q and %q", hr.Class, air.Class)
	}
	if ratio := air.Width / reflex.Width; ratio < 1.99 || ratio > 2.01 {
		t.Errorf("a bar of twice the time is %.2f times as long", ratio)
	}
	if all := strings.Join(svg.Texts, "\n"); !strings.Contains(all, "1650 ms") || !strings.Contains(all, "air (default)") {
		t.Errorf("labels are missing in\n%s", all)
	}
}

func TestLoadChart(t *testing.T) {
	var svg struct {
		Rects []rect   `xml:"rect"`
		Texts []string `xml:"text"`
	}
	if err := xml.Unmarshal([]byte(sampleResults().loadChart()), &svg); err != nil {
		t.Fatal(err)
	}
	// The card and two panels of two tools: what hr has lost is the shortest bar there is.
	if len(svg.Rects) != 5 || svg.Rects[1].Width != 1 || svg.Rects[2].Width < 100 {
		t.Errorf("rectangles %+v", svg.Rects)
	}
	if all := strings.Join(svg.Texts, "\n"); !strings.Contains(all, "hr 3, air (default) 3.") || !strings.Contains(all, "22 ms") {
		t.Errorf("texts are missing in\n%s", all)
	}
}

func TestWriteAndRenderAgain(t *testing.T) {
	first, second := t.TempDir(), filepath.Join(t.TempDir(), "new")
	if err := sampleResults().write(first); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), []string{"-from", filepath.Join(first, "bench.txt"), "-result", second}, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bench.txt", "table.md", "bench.svg", "load.svg"} {
		a, errA := os.ReadFile(filepath.Join(first, name))
		b, errB := os.ReadFile(filepath.Join(second, name))
		if errA != nil || errB != nil || string(a) != string(b) {
			t.Errorf("%s differs when it is made again (%v, %v)", name, errA, errB)
		}
	}
}
