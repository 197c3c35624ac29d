//go:build unix

package main

import (
	"debug/elf"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// The words of the scripts that make something go wrong.

func cmdSooner(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, 1, "sooner DURATION")
	limit, err := time.ParseDuration(args[0])
	ts.Check(err)
	if len(raceFlags) > 0 {
		limit *= 10 // the race detector's price
	}
	w := worldOf(ts)
	if took := w.lastLine.Sub(w.killed); took > limit {
		ts.Fatalf("it took %v", took)
	}
}

const shim = `#!/bin/sh
echo "$*" >>"$WORK/go.log"
if [ "$1" = build ]; then
	while [ -e "$WORK/go.hold" ]; do
		touch "$WORK/go.held"
		sleep 0.01
	done
fi
exec "REAL" "$@"
`

func cmdShimGo(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 0, 0, "shim-go")
	real, err := exec.LookPath("go")
	ts.Check(err)
	dir := filepath.Join(ts.Getenv("WORK"), "shim")
	ts.Check(os.MkdirAll(dir, 0o755))
	text := strings.NewReplacer("REAL", real, "$WORK", ts.Getenv("WORK")).Replace(shim)
	ts.Check(os.WriteFile(filepath.Join(dir, "go"), []byte(text), 0o755))
	ts.Setenv("PATH", dir+string(filepath.ListSeparator)+ts.Getenv("PATH"))
}

// cmdOtherBuild copies the commands and changes the build id of hrd, which is
// all that tells builds apart.
func cmdOtherBuild(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, 1, "other-build DIR")
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	for _, name := range []string{"hr", "hrd"} {
		data, err := os.ReadFile(filepath.Join(ts.Getenv("BIN"), name))
		ts.Check(err)
		if name == "hrd" {
			f, err := elf.Open(filepath.Join(ts.Getenv("BIN"), name))
			if err != nil {
				ts.Fatalf("this changes ELF files only: %v", err)
			}
			note := f.Section(".note.go.buildid")
			data[note.Offset+note.Size-2] ^= 1
			f.Close()
		}
		ts.Check(os.WriteFile(filepath.Join(dir, name), data, 0o755))
	}
}

func cmdWrite(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, 2, "write FILE HEX")
	data, err := hex.DecodeString(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o644))
}

func cmdMount(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, 2, "mount-tmpfs DIR SIZE")
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+args[1], "tmpfs", dir).CombinedOutput(); err != nil {
		worldOf(ts).env.T().Skip("mounting a file system takes root: " + string(out))
	}
	w := worldOf(ts)
	w.ends = append(w.ends, func() { exec.Command("umount", "-l", dir).Run() })
}

func cmdReadOnly(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, 1, "read-only DIR")
	out, err := exec.Command("mount", "-o", "remount,ro", ts.MkAbs(args[0])).CombinedOutput()
	if err != nil {
		ts.Fatalf("remount: %s", out)
	}
}

func cmdWaitGone(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, 1, "waitgone PID")
	pid, err := strconv.Atoi(args[0])
	ts.Check(err)
	if !poll(func() bool { return syscall.Kill(pid, 0) != nil }) {
		ts.Fatalf("process %d does not end", pid)
	}
}

func cmdDiffer(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, 2, "differ A B")
	if args[0] == args[1] {
		ts.Fatalf("both are %s", args[0])
	}
}

func cmdWaitDaemon(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 0, 0, "waitfor-daemon")
	if !poll(func() bool { _, err := daemonHello(ts); return err == nil }) {
		ts.Fatalf("no hrd answers")
	}
}

// cmdDamage spoils every file below a directory but the locks: to half its
// length, or with a bit in its middle turned.
func cmdDamage(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, 2, "damage truncate|flip DIR")
	ts.Check(filepath.WalkDir(ts.MkAbs(args[1]), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // gone meanwhile
		}
		data, err := os.ReadFile(path)
		if err != nil || len(data) == 0 {
			return nil
		}
		if args[0] == "truncate" {
			data = data[:len(data)/2]
		} else {
			data[len(data)/2] ^= 4
		}
		// In place, as a failing disk would; a program that runs is left alone.
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if errors.Is(err, syscall.ETXTBSY) {
			return nil
		}
		if err != nil {
			return err
		}
		defer f.Close()
		if err := f.Truncate(int64(len(data))); err != nil {
			return err
		}
		_, err = f.WriteAt(data, 0)
		return err
	}))
}

// cmdFill leaves no room in a file system.
func cmdFill(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, 1, "fill DIR")
	f, err := os.Create(filepath.Join(ts.MkAbs(args[0]), "filler"))
	ts.Check(err)
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
}

// cmdExpand replaces the script's variables in a file.
func cmdExpand(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, 1, "expand FILE")
	data, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(os.Expand(string(data), ts.Getenv)), 0o644))
}
