package daemon

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hotreflex/hr/internal/place"
	"github.com/hotreflex/hr/internal/protocol"
)

// UserOptions are the options for this user's machine: where caches belong and
// which places are fast. HR_LINK_CHECK makes every incremental link verify
// itself, which costs a full link each time; hrd status counts what was found.
func UserOptions() (Options, error) {
	cacheDir, passed, err := userCache()
	if err != nil {
		return Options{}, err
	}
	self, err := os.Executable()
	if err != nil {
		return Options{}, fmt.Errorf("find own executable: %w", err)
	}
	return Options{
		CacheDir: cacheDir, Passed: passed, FastDirs: fastDirs(), Self: []string{self, "toolexec"},
		CheckLinks: os.Getenv("HR_LINK_CHECK") != "",
	}, nil
}

// userCache returns the directory for caches. One that was named by hand is
// refused if others could put programs there for us to run; the usual one is
// passed over then, and passed says why.
func userCache() (dir string, passed []string, err error) {
	var bad *place.Error
	if dir = os.Getenv("HR_CACHE_DIR"); dir != "" {
		if abs, err := filepath.Abs(dir); err == nil {
			dir = abs
		}
		dir, err = below(dir)
		if errors.As(err, &bad) {
			return "", nil, &protocol.Error{Code: protocol.CodeUnsafe, Message: "HR_CACHE_DIR: " + bad.Error(), Hint: bad.Hint}
		}
		return dir, nil, nil
	}
	if usual, err := os.UserCacheDir(); err == nil {
		dir, err = below(filepath.Join(usual, "hr"))
		if !errors.As(err, &bad) {
			return dir, nil, nil
		}
		passed = append(passed, bad.Error())
	}
	return filepath.Join(os.TempDir(), place.OwnName(), "cache"), passed, nil
}

// below returns the part of a directory that is this user's alone, made when
// absent. With an error that is none of safety the directory is as good as any:
// what cannot be kept in there is told later.
func below(dir string) (string, error) {
	d, err := place.OpenBelow(dir)
	if err != nil {
		return dir, err
	}
	defer d.Close()
	return d.Path(), nil
}

// fastDirs are places in memory, best first. A cache directory that was chosen
// by hand keeps everything in it, unless HR_FAST_DIR names a place.
func fastDirs() []string {
	if dir := os.Getenv("HR_FAST_DIR"); dir != "" {
		dir, err := below(dir)
		if err != nil {
			return []string{filepath.Join(dir, place.OwnName())} // to be told why, and passed over
		}
		return []string{dir}
	}
	if os.Getenv("HR_CACHE_DIR") != "" {
		return nil
	}
	name := place.OwnName()
	var dirs []string
	if fi, err := os.Stat("/dev/shm"); err == nil && fi.IsDir() {
		dirs = append(dirs, filepath.Join("/dev/shm", name))
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		dirs = append(dirs, filepath.Join(dir, name))
	}
	return dirs
}
