//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/hotreflex/hr/internal/protocol"
)

// scriptCommands are the words of the scripts beyond testscript's own.
//
//	code N [VAR=VALUE...] CMD ARGS...      run a command, which must exit with N
//	up [-tty] [-keys] [-as=NAME] [-ignoring=SIGNALS] [VAR=VALUE...] ARGS...   start hr ARGS in
//	                        the background, its screen a terminal or not, its input one or
//	                        not, with signals ignored as nohup does
//	use NAME                talk about that hr from now on
//	line REGEXP...          the next lines of its screen are these; <ms> is any duration
//	until REGEXP            skip lines up to one that matches
//	quiet                   it has said nothing more, and has seen every save so far
//	idle                    nothing is being built
//	ends N                  it ends by itself with exit code N
//	down SIGNAL N           send it a signal; it ends with exit code N
//	signal SIGNAL           send it a signal
//	insist SIGNAL N         send it again and again; it ends with exit code N
//	type TEXT               write a line to its standard input
//	press KEY [N]           a key at its terminal: ctrl-c, ctrl-\ or ctrl-z; with N again
//	                        and again, until it ends with exit code N
//	hang-up                 its terminal is gone
//	out REGEXP              the program's standard output comes to match
//	get [-header=NAME:VALUE] REGEXP [PATH]   the program comes to answer so
//	replace FILE OLD NEW    edit a file in place
//	swap FILE OLD NEW       edit a file as most editors do: write another, rename it
//	append FILE TEXT        add a line to a file
//	child-pid VAR           process id of the program that it runs
//	hrd-kill                kill -9 the daemon
//	hrd-pid VAR             its process id
//	sooner DURATION         the last line came so soon after hrd-kill
//	shim-go                 from now on a go command that notes its words in go.log, and
//	                        that a file go.hold makes wait
//	other-build DIR         hr and hrd of another build
//	write FILE HEX          any bytes
//	mount-tmpfs DIR SIZE    a file system of that size, or the script is skipped
//	read-only DIR           make a mounted file system read-only
//	waitfor-daemon          a daemon answers
//	damage HOW DIR          spoil every file there: truncate or flip
//	fill DIR                leave no room in its file system
//	expand FILE             replace $VARIABLES in a file
//	waitgone PID            that process ends
//	differ A B              two words are not the same
//	waitfor FILE REGEXP     a file comes to match
func scriptCommands() map[string]func(ts *testscript.TestScript, neg bool, args []string) {
	return map[string]func(ts *testscript.TestScript, neg bool, args []string){
		"code": cmdCode, "up": cmdUp, "use": cmdUse, "line": cmdLine, "until": cmdUntil,
		"quiet": cmdQuiet, "ends": cmdEnds, "down": cmdDown, "signal": cmdSignal, "insist": cmdInsist, "type": cmdType, "press": cmdPress, "idle": cmdIdle, "hang-up": cmdHangUp,
		"out": cmdOut, "get": cmdGet, "replace": cmdReplace, "swap": cmdSwap, "append": cmdAppend,
		"hrd-kill": cmdKillDaemon, "hrd-pid": cmdDaemonPid, "child-pid": cmdChildPid,
		"sooner": cmdSooner, "shim-go": cmdShimGo, "other-build": cmdOtherBuild, "write": cmdWrite,
		"mount-tmpfs": cmdMount, "read-only": cmdReadOnly, "waitgone": cmdWaitGone, "damage": cmdDamage, "fill": cmdFill, "expand": cmdExpand, "waitfor-daemon": cmdWaitDaemon, "differ": cmdDiffer, "waitfor": cmdWaitFor,
	}
}

func scriptCondition(cond string) (bool, error) {
	if cond == "root" {
		return os.Geteuid() == 0, nil
	}
	return false, fmt.Errorf("unknown condition %s", cond)
}

// want checks the number of words and that the command is not negated.
func want(ts *testscript.TestScript, neg bool, args []string, least, most int, usage string) {
	if neg || len(args) < least || most >= 0 && len(args) > most {
		ts.Fatalf("usage: %s", usage)
	}
}

func cmdCode(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, -1, "code N [VAR=VALUE...] CMD ARGS...")
	vars, words := splitVars(args[1:])
	path := words[0]
	if !strings.Contains(path, "/") {
		if p := filepath.Join(ts.Getenv("BIN"), path); fileThere(p) {
			path = p
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, words[1:]...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), append(environ(ts), vars...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	io.Copy(ts.Stdout(), &stdout)
	io.Copy(ts.Stderr(), &stderr)
	if err != nil && cmd.ProcessState == nil {
		ts.Fatalf("run: %v", err)
	}
	if got := strconv.Itoa(cmd.ProcessState.ExitCode()); got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

func fileThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func cmdUp(ts *testscript.TestScript, neg bool, args []string) {
	name, ignoring, tty, keys := "hr", "", false, false
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		if n, ok := strings.CutPrefix(args[0], "-as="); ok {
			name = n
		}
		if list, ok := strings.CutPrefix(args[0], "-ignoring="); ok {
			ignoring = strings.ReplaceAll(list, ",", " ")
		}
		tty, keys = tty || args[0] == "-tty", keys || args[0] == "-keys"
		args = args[1:]
	}
	want(ts, neg, args, 1, -1, "up [-tty] [-keys] [-as=NAME] [-ignoring=SIGNALS] [VAR=VALUE...] ARGS...")
	if s := worldOf(ts).sessions[name]; s != nil {
		s.kill()
	}
	_, err := worldOf(ts).begin(ts, name, ignoring, tty, keys, args)
	ts.Check(err)
}

func cmdUse(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, 1, "use NAME")
	w := worldOf(ts)
	if w.sessions[args[0]] == nil {
		ts.Fatalf("no hr of that name")
	}
	w.current = w.sessions[args[0]]
}

func current(ts *testscript.TestScript) *session {
	s := worldOf(ts).current
	if s == nil {
		ts.Fatalf("no hr was started: up run")
	}
	return s
}

func pattern(ts *testscript.TestScript, text string) *regexp.Regexp {
	re, err := regexp.Compile(strings.ReplaceAll(text, "<ms>", `[0-9.]+ m?s`))
	ts.Check(err)
	return re
}

func cmdLine(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, -1, "line REGEXP...")
	s := current(ts)
	for _, text := range args {
		re := pattern(ts, "^(?:"+text+")$")
		line, err := s.nextLine()
		if err != nil {
			ts.Fatalf("want a line %q: %v", text, err)
		}
		if !re.MatchString(line) {
			ts.Fatalf("the next line is\n%s\nnot\n%s", line, text)
		}
		worldOf(ts).lastLine = time.Now()
		ts.Logf("| %s", line)
	}
}

func cmdUntil(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, 1, "until REGEXP")
	re := pattern(ts, args[0])
	for {
		line, err := current(ts).nextLine()
		if err != nil {
			ts.Fatalf("want a line %q: %v", args[0], err)
		}
		ts.Logf("| %s", line)
		if re.MatchString(line) {
			return
		}
	}
}

// cmdQuiet writes a file that is no input: hr says so when it has seen all that
// was saved before, and anything else that it says stands in front of it.
func cmdQuiet(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 0, 0, "quiet")
	w, s := worldOf(ts), current(ts)
	write := func() string {
		w.probes++
		name := fmt.Sprintf("probe%d.txt", w.probes)
		ts.Check(os.WriteFile(filepath.Join(s.cmd.Dir, name), nil, 0o644))
		return name
	}
	name := write()
	again := time.Now()
	var line string
	if !poll(func() bool {
		if s.hasLine() {
			var err error
			line, err = s.anyLine()
			return err != nil || !probeLine.MatchString(line) || strings.Contains(line, name)
		}
		if time.Since(again) > probeAgain {
			name, again = write(), time.Now()
		}
		return s.over()
	}) || !strings.Contains(line, name) {
		ts.Fatalf("it is not quiet: %s", line)
	}
}

// probeAgain is when another probe is written: hr does not hear of one that was
// there before it began to watch.
const probeAgain = time.Second

func cmdEnds(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, 1, "ends N")
	s := current(ts)
	if !poll(s.over) {
		ts.Fatalf("hr does not end")
	}
	if got := strconv.Itoa(s.code()); got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

var signals = map[string]syscall.Signal{
	"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "KILL": syscall.SIGKILL, "QUIT": syscall.SIGQUIT, "STOP": syscall.SIGSTOP, "CONT": syscall.SIGCONT,
}

func cmdSignal(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, 1, "signal NAME")
	sig, ok := signals[args[0]]
	if !ok {
		ts.Fatalf("unknown signal %s", args[0])
	}
	ts.Check(current(ts).cmd.Process.Signal(sig))
}

func cmdDown(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, 2, "down SIGNAL N")
	cmdSignal(ts, false, args[:1])
	cmdEnds(ts, false, args[1:])
}

func cmdInsist(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, 2, "insist SIGNAL N")
	s := current(ts)
	poll(func() bool {
		s.cmd.Process.Signal(signals[args[0]])
		return s.over()
	})
	cmdEnds(ts, false, args[1:])
}

func cmdType(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, 1, "type TEXT")
	_, err := io.WriteString(current(ts).stdin, args[0]+"\n")
	ts.Check(err)
}

func cmdOut(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, 1, "out REGEXP")
	cmdWaitFor(ts, false, []string{current(ts).out, args[0]})
}

func cmdWaitFor(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, 2, "waitfor FILE REGEXP")
	re := pattern(ts, "(?m)"+args[1])
	var data []byte
	if !poll(func() bool {
		var err error
		data, err = os.ReadFile(ts.MkAbs(args[0]))
		return err == nil && re.Match(data)
	}) {
		ts.Fatalf("%s does not come to match %q:\n%s", args[0], args[1], data)
	}
}

func cmdGet(ts *testscript.TestScript, neg bool, args []string) {
	header := ""
	if len(args) > 0 && strings.HasPrefix(args[0], "-header=") {
		header, args = strings.TrimPrefix(args[0], "-header="), args[1:]
	}
	want(ts, neg, args, 1, 2, "get [-header=NAME:VALUE] REGEXP [PATH]")
	re := pattern(ts, "(?m)"+args[0])
	url := "http://127.0.0.1:" + ts.Getenv("PORT") + "/"
	if len(args) > 1 {
		url += strings.TrimPrefix(args[1], "/")
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	req, err := http.NewRequest(http.MethodGet, url, nil)
	ts.Check(err)
	if name, value, ok := strings.Cut(header, ":"); ok {
		req.Header.Set(name, value)
		req.Host = req.Header.Get("Host")
	}
	last := ""
	if !poll(func() bool {
		resp, err := client.Do(req)
		if err != nil {
			last = err.Error()
			return false
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		last = string(body)
		return re.Match(body)
	}) {
		ts.Fatalf("the program does not come to answer %q, but\n%s", args[0], last)
	}
}

// edited returns the file with old replaced; old must be there once at least.
func edited(ts *testscript.TestScript, args []string) (path string, data []byte) {
	path = ts.MkAbs(args[0])
	before, err := os.ReadFile(path)
	ts.Check(err)
	unescape := strings.NewReplacer(`\n`, "\n", `\t`, "\t").Replace
	old := unescape(args[1])
	if !strings.Contains(string(before), old) {
		ts.Fatalf("%s does not contain %q:\n%s", args[0], old, before)
	}
	return path, []byte(strings.ReplaceAll(string(before), old, unescape(args[2])))
}

func cmdReplace(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 3, 3, "replace FILE OLD NEW")
	path, data := edited(ts, args)
	ts.Check(os.WriteFile(path, data, 0o644))
}

func cmdSwap(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 3, 3, "swap FILE OLD NEW")
	path, data := edited(ts, args)
	temp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".swap")
	ts.Check(os.WriteFile(temp, data, 0o644))
	ts.Check(os.Rename(temp, path))
}

func cmdAppend(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, 2, "append FILE TEXT")
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o644)
	ts.Check(err)
	_, err = f.WriteString(strings.NewReplacer(`\n`, "\n", `\t`, "\t").Replace(args[1]) + "\n")
	ts.Check(err)
	ts.Check(f.Close())
}

// daemonHello asks the script's daemon who it is.
func daemonHello(ts *testscript.TestScript) (protocol.Hello, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	client := protocol.NewClient(func(ctx context.Context) (net.Conn, error) { return protocol.Dial(ctx, ts.Getenv("HR_RUNTIME_DIR")) })
	defer client.Close()
	return client.Hello(ctx)
}

func daemonPid(ts *testscript.TestScript) int {
	hello, err := daemonHello(ts)
	ts.Check(err)
	return hello.Pid
}

func cmdDaemonPid(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, 1, "hrd-pid VAR")
	ts.Setenv(args[0], strconv.Itoa(daemonPid(ts)))
}

func cmdKillDaemon(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 0, 0, "hrd-kill")
	pid := daemonPid(ts)
	worldOf(ts).killed = time.Now()
	ts.Check(syscall.Kill(pid, syscall.SIGKILL))
}

// cmdChildPid reads what hr why reads.
func cmdChildPid(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, 1, "child-pid VAR")
	path := filepath.Join(ts.Getenv("HR_RUNTIME_DIR"), "sessions", fmt.Sprintf("%d.json", current(ts).cmd.Process.Pid))
	var d reportData
	if !poll(func() bool {
		data, err := os.ReadFile(path)
		return err == nil && json.Unmarshal(data, &d) == nil && d.ChildPid != 0
	}) {
		ts.Fatalf("%s names no program", path)
	}
	ts.Setenv(args[0], strconv.Itoa(d.ChildPid))
}
