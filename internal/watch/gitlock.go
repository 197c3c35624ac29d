package watch

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// gitLock knows the index.lock files of the repositories the roots lie in.
type gitLock struct {
	mu    sync.Mutex // guards locks
	locks []string
}

// include looks for the repository that dir belongs to.
func (g *gitLock) include(dir string) {
	gitDir := findGitDir(dir)
	if gitDir == "" {
		return
	}
	lock := filepath.Join(gitDir, "index.lock")
	g.mu.Lock()
	defer g.mu.Unlock()
	if !slices.Contains(g.locks, lock) {
		g.locks = append(g.locks, lock)
	}
}

// held says whether git is changing one of the working trees.
func (g *gitLock) held() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, l := range g.locks {
		if _, err := os.Lstat(l); err == nil {
			return true
		}
	}
	return false
}

// findGitDir returns the real git directory for dir, or "". In a linked
// worktree or a submodule .git is a file that names it (gitrepository-layout(5)).
func findGitDir(dir string) string {
	for {
		p := filepath.Join(dir, ".git")
		if fi, err := os.Stat(p); err == nil {
			if fi.IsDir() {
				return p
			}
			data, err := os.ReadFile(p)
			if err != nil {
				return ""
			}
			target, ok := strings.CutPrefix(strings.TrimSpace(string(data)), "gitdir:")
			if !ok {
				return ""
			}
			target = strings.TrimSpace(target)
			if !filepath.IsAbs(target) {
				target = filepath.Join(dir, target)
			}
			return target
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}
