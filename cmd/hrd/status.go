package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/pflag"

	"github.com/hotreflex/hr/internal/printable"
	"github.com/hotreflex/hr/internal/protocol"
)

// statusVerb is hrd status: exit code 1 if none runs.
func statusVerb(c *command, args []string) int {
	fs := pflag.NewFlagSet("status", pflag.ContinueOnError)
	if code, ok := c.parse(fs, args); !ok {
		return code
	}
	client, _, err := userClient()
	if err != nil {
		return c.fail(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), stopWait)
	defer cancel()
	s, err := client.Status(ctx)
	if errors.Is(err, protocol.ErrAbsent) {
		return c.fail(&protocol.Error{Code: protocol.CodeAbsent, Message: "no hrd is running", Hint: "hrd start starts it; hr does so by itself"})
	}
	if errors.Is(err, protocol.ErrSilent) {
		return c.fail(silent(peerPid()))
	}
	if err != nil {
		return c.fail(err)
	}
	if c.json {
		json.NewEncoder(c.stdout).Encode(s)
		return exitOK
	}
	printStatus(c.stdout, s)
	return exitOK
}

func printStatus(w io.Writer, s protocol.Status) {
	size := func(n int64) string { return humanize.IBytes(uint64(max(n, 0))) }
	printable.Fprintf(w, "hrd %s, pid %d, up %s, %s resident\n", s.Version, s.Pid, s.Uptime.Round(time.Second), size(s.RSS))
	if s.Draining {
		fmt.Fprintln(w, "draining: it ends with its last session")
	}
	printable.Fprintf(w, "builds    %d fast, %d by go build, %d unneeded, %d failed, %d canceled\n",
		s.Builds.Fast, s.Builds.Fallback, s.Builds.Unneeded, s.Builds.Failed, s.Builds.Canceled)
	where := s.CacheDir
	if s.Store.InMemory {
		where = "in memory"
	}
	printable.Fprintf(w, "store     %s in %d entries, %s\n", size(s.Store.Bytes), s.Store.Entries, where)
	kinds := slices.Sorted(maps.Keys(s.Store.Hits))
	for k := range s.Store.Misses {
		if !slices.Contains(kinds, k) {
			kinds = append(kinds, k)
		}
	}
	for _, k := range kinds {
		hits, misses := s.Store.Hits[k], s.Store.Misses[k]
		printable.Fprintf(w, "          %s: %d of %d found\n", k, hits, hits+misses)
	}
	printable.Fprintf(w, "archives  %s of %s, %d in %s\n", size(s.Archives.Bytes), size(s.Archives.Budget), s.Archives.Entries, s.Archives.Dir)
	printable.Fprintf(w, "programs  %s of %s, %d in %s\n", size(s.Bins.Bytes), size(s.Bins.Budget), s.Bins.Entries, s.Bins.Dir)
	if s.Linker != nil {
		printable.Fprintf(w, "linker    %s of %s in %s, %d checks, %d mismatches\n", count(s.Linker.States, "program"), count(s.Linker.Archives, "archive"), size(s.Linker.Bytes), s.Linker.Checks, s.Linker.Mismatches)
	}
	printable.Fprintf(w, "contexts  %d\n", len(s.Contexts))
	for _, x := range s.Contexts {
		printable.Fprintf(w, "          %s %s/%s %v: %d packages, %d of the workspace\n", x.Target, x.GOOS, x.GOARCH, x.Tags, x.Packages, x.Local)
	}
	printable.Fprintf(w, "sessions  %d\n", len(s.Sessions))
	for _, x := range s.Sessions {
		printable.Fprintf(w, "          %s %s in %s, %s, since %s\n", x.ID[:min(8, len(x.ID))], cmp.Or(x.Target, "."), x.Dir, x.Context, x.Since.Format("15:04:05"))
	}
}

// count is a number of things in words.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// logsVerb is hrd logs.
func logsVerb(c *command, args []string) int {
	fs := pflag.NewFlagSet("logs", pflag.ContinueOnError)
	if code, ok := c.parse(fs, args); !ok {
		return code
	}
	dir, err := protocol.RunDir()
	if err != nil {
		return c.fail(err)
	}
	path := protocol.LogPath(dir)
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return c.fail(&protocol.Error{Code: protocol.CodeNotFound, Message: "no log yet", Hint: "hrd start makes one at " + path})
	}
	if err != nil {
		return c.fail(fmt.Errorf("read log: %w", err))
	}
	if c.json {
		json.NewEncoder(c.stdout).Encode(map[string]string{"path": path, "text": string(data)})
		return exitOK
	}
	io.WriteString(c.stdout, printable.Text(string(data)))
	return exitOK
}
