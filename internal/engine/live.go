package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/hotreflex/hr/internal/link"
	"github.com/hotreflex/hr/internal/order"
	"github.com/hotreflex/hr/internal/place"
)

// live is where the incremental linker writes programs: in a directory for each
// program one for each artifact. It takes old artifacts back and patches them,
// so they are no content-addressed files; but they are sealed as those are, and
// one that somebody holds is neither taken back nor removed.
type live struct {
	mu     sync.Mutex // guards dir
	dir    *place.Dir // nil until it is needed
	ledger place.Ledger
}

// liveKeep is how many programs may have live artifacts on the fast place: as
// many as the incremental linker keeps in memory.
const liveKeep = 4

// oldLive is how long a live artifact is kept that the linker may not know any
// more: a front end that was told of it has started it long before.
const oldLive = time.Minute

// liveRoot opens the directory of all live artifacts. It is beside the other
// artifacts, and as safe or not used.
func (e *Engine) liveRoot() (*place.Dir, error) {
	e.live.mu.Lock()
	defer e.live.mu.Unlock()
	var err error
	if e.live.dir == nil {
		e.live.dir, err = place.Open(filepath.Join(filepath.Dir(e.opt.Bins.Dir()), "live"))
	} else if next, again := e.live.dir.Again(); again == nil {
		e.live.dir = next
	} else {
		err = again
	}
	if err != nil {
		return nil, err
	}
	return e.live.dir, nil
}

// liveNames are the directories of a target and of an artifact.
func liveNames(t *Target, key string) (target, artifact string) { return t.key[:16], key[:16] }

// linkLive links with the incremental linker.
func (e *Engine) linkLive(ctx context.Context, t *Target, req link.Request, key string) (order.Artifact, link.Result, error) {
	root, err := e.liveRoot()
	if err != nil {
		return order.Artifact{}, link.Result{}, fmt.Errorf("link: %w", err)
	}
	target, artifact := liveNames(t, key)
	above, err := root.Sub(target)
	if err != nil {
		return order.Artifact{}, link.Result{}, fmt.Errorf("link: %w", err)
	}
	defer above.Close()
	dir, err := above.Sub(artifact)
	if err != nil {
		return order.Artifact{}, link.Result{}, fmt.Errorf("link: %w", err)
	}
	defer dir.Close()
	req.Out = filepath.Join(dir.Path(), t.binName())
	req.Seal = binKey(key, t.binName())
	res, err := e.opt.Incremental.Link(ctx, req)
	if err != nil {
		above.Root().Remove(artifact) // empty: nothing was written
		return order.Artifact{}, res, err
	}
	mark, err := e.live.ledger.Note(req.Out, res.Sum)
	if err != nil {
		return order.Artifact{}, res, fmt.Errorf("link: %w", err)
	}
	return order.Artifact{Key: key, Path: req.Out, Mark: mark}, res, nil
}

// linkedBefore returns the artifact of an action id if one of the linkers made
// it before and it is still what was made.
func (e *Engine) linkedBefore(t *Target, key string) (order.Artifact, bool) {
	if path, ok := e.opt.Bins.Path(binKey(key, t.binName())); ok {
		return e.kept(key, path), true
	}
	if !e.incremental(t) {
		return order.Artifact{}, false
	}
	root, err := e.liveRoot()
	if err != nil {
		return order.Artifact{}, false
	}
	target, artifact := liveNames(t, key)
	path := filepath.Join(root.Path(), target, artifact, t.binName())
	mark, err := e.live.ledger.Sound(binKey(key, t.binName()), path)
	return order.Artifact{Key: key, Path: path, Mark: mark}, err == nil
}

// kept returns an artifact that lies among the files.
func (e *Engine) kept(key, path string) order.Artifact {
	return order.Artifact{Key: key, Path: path, Mark: e.opt.Bins.Mark(path)}
}

// sound returns an artifact if it still is what it was, with its present mark.
func (e *Engine) sound(t *Target, a order.Artifact) (order.Artifact, bool) {
	if path, ok := e.opt.Bins.Path(binKey(a.Key, t.binName())); ok && path == a.Path {
		return e.kept(a.Key, path), true
	}
	return a, false
}

// Warm has the incremental linker load a program that the go command has linked,
// so that the next link is a matter of what changed. It is for idle time.
func (e *Engine) Warm(ctx context.Context, t *Target, prog *Program) {
	if !e.incremental(t) || prog.Link == nil || prog.Unhandled != "" {
		return
	}
	e.sweepLive(t, prog)
	key := t.linkID(prog.Link, prog.Snap, prog.Archives)
	req, err := e.linkRequest(t, prog, key)
	if err != nil {
		return // the next build says why
	}
	if _, _, err := e.linkLive(ctx, t, req, key); err != nil && ctx.Err() == nil {
		e.opt.Log("incremental linker: %v", err) // the next build tells the user
	}
}

// sweepLive removes live artifacts that nobody needs or holds: of the programs
// that were built longest ago, beyond liveKeep; of this one, all but that of
// prog and those of the last minute; and the spare files of linkers that were
// killed.
func (e *Engine) sweepLive(t *Target, prog *Program) {
	root, err := e.liveRoot()
	if err != nil {
		return
	}
	own, needed := liveNames(t, t.key)
	if prog != nil {
		_, needed = liveNames(t, prog.Artifact.Key)
	}
	others := 0
	for _, name := range byAge(root.Path()) {
		dir := filepath.Join(root.Path(), name)
		e.sweepSpares(dir)
		if name == own {
			removeUnheld(dir, needed, oldLive)
		} else if others++; others >= liveKeep {
			removeUnheld(dir, "", 0)
		}
	}
}

// byAge returns the names in a directory, the newest first.
func byAge(dir string) []string {
	entries, _ := os.ReadDir(dir)
	at := map[string]time.Time{}
	var names []string
	for _, d := range entries {
		if info, err := d.Info(); err == nil && d.IsDir() {
			at[d.Name()] = info.ModTime()
			names = append(names, d.Name())
		}
	}
	slices.SortFunc(names, func(a, b string) int { return at[b].Compare(at[a]) })
	return names
}

// removeUnheld removes the artifacts of one program that are older and that
// nobody holds, but for a needed one, and the directory if nothing is left.
func removeUnheld(dir, needed string, older time.Duration) {
	for _, name := range byAge(dir) {
		path := filepath.Join(dir, name)
		info, err := os.Lstat(path)
		if err == nil && name != needed && time.Since(info.ModTime()) >= older && !heldIn(path) {
			os.RemoveAll(path)
		}
	}
	os.Remove(dir) // fails unless it is empty
}

// heldIn tells that somebody holds a file in a directory.
func heldIn(dir string) bool {
	entries, _ := os.ReadDir(dir)
	return slices.ContainsFunc(entries, func(d os.DirEntry) bool { return place.InUse(filepath.Join(dir, d.Name())) })
}

// sweepSpares removes what linkers that were killed have left of files in the
// making. One that is at work holds its file for as long, and spare copies that
// are not at hand any more are only written again.
func (e *Engine) sweepSpares(dir string) {
	spares, _ := filepath.Glob(filepath.Join(dir, "*", ".*"+link.Spare+"*"))
	for _, path := range spares {
		if info, err := os.Lstat(path); err == nil && info.ModTime().Before(e.started) && !place.InUse(path) {
			os.Remove(path)
		}
	}
}
