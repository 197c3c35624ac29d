package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// tryPlace returns why files cannot be kept in dir, or nil.
func tryPlace(dir string, minFree int64, needExec bool) error {
	if !filepath.IsAbs(dir) {
		return errors.New("not an absolute path")
	}
	if err := makePlace(dir); err != nil {
		return err
	}
	if err := checkFree(dir, minFree); err != nil {
		return err
	}
	probe, err := os.CreateTemp(dir, tempPrefix)
	if err != nil {
		return err
	}
	defer os.Remove(probe.Name())
	if err := probe.Close(); err != nil {
		return err
	}
	if needExec {
		return tryExec(probe.Name())
	}
	return nil
}

// makePlace makes dir unless it exists, and checks that nobody else could put
// programs there for us to run: places such as /dev/shm are open to all.
func makePlace(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() || !ownedByUser(info) || othersMayWrite(info) {
		return fmt.Errorf("not a directory that this user alone can write (mode %v)", info.Mode())
	}
	return nil
}

func checkFree(dir string, minFree int64) error {
	if free, err := freeSpace(dir); err == nil && free < minFree {
		return fmt.Errorf("%w: %d MB free, %d wanted", ErrNoSpace, free>>20, minFree>>20)
	}
	return nil
}
