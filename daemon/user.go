package daemon

import (
	"fmt"
	"os"
	"path/filepath"
)

// UserOptions are the options for this user's machine: where caches belong and
// which places are fast. HR_LINK_CHECK makes every incremental link verify
// itself, which costs a full link each time; hrd status counts what was found.
func UserOptions() (Options, error) {
	cacheDir := os.Getenv("HR_CACHE_DIR")
	if cacheDir == "" {
		if dir, err := os.UserCacheDir(); err == nil {
			cacheDir = filepath.Join(dir, "hr")
		} else {
			cacheDir = filepath.Join(os.TempDir(), fmt.Sprintf("hr-%d", os.Getuid()), "cache")
		}
	}
	self, err := os.Executable()
	if err != nil {
		return Options{}, fmt.Errorf("find own executable: %w", err)
	}
	return Options{
		CacheDir: cacheDir, FastDirs: fastDirs(), Self: []string{self, "toolexec"},
		CheckLinks: os.Getenv("HR_LINK_CHECK") != "",
	}, nil
}

// fastDirs are places in memory, best first. A cache directory that was chosen
// by hand keeps everything in it, unless HR_FAST_DIR names a place.
func fastDirs() []string {
	if dir := os.Getenv("HR_FAST_DIR"); dir != "" {
		return []string{dir}
	}
	if os.Getenv("HR_CACHE_DIR") != "" {
		return nil
	}
	name := fmt.Sprintf("hr-%d", os.Getuid())
	var dirs []string
	if fi, err := os.Stat("/dev/shm"); err == nil && fi.IsDir() {
		dirs = append(dirs, filepath.Join("/dev/shm", name))
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		dirs = append(dirs, filepath.Join(dir, name))
	}
	return dirs
}
