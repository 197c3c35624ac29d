package place

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// sharedParent is the variable that takes the user's word for it that nobody
// else is in the machine who could swap a directory.
const sharedParent = "HR_SHARED_PARENT"

const (
	elsewhere   = "name a directory of your own, or remove that one"
	swapHint    = "name a directory of your own, or set " + sharedParent + "=1 if nobody else works here"
	maxLinks    = 40 // as many as the Linux kernel follows
	missingMode = 0o700
)

// climb returns the real path of dir, whose elements nobody else can change.
//
// It goes from the root down. What root or this user owns and nobody else may
// write stays what it is while we look further; below a sticky directory that
// holds for what is ours and no link. So one look at each element is enough,
// and no element can be swapped after its look. Missing ones are made; own asks
// that the last one is no link, whoever made it.
func climb(dir string, make, own bool) (string, error) {
	if !filepath.IsAbs(dir) {
		return "", fmt.Errorf("open place: %s is not an absolute path", dir)
	}
	at := filepath.VolumeName(dir) + string(filepath.Separator)
	rest := elements(dir[len(filepath.VolumeName(dir)):])
	above, err := look(at)
	if err != nil {
		return "", err
	}
	for links := 0; len(rest) > 0; {
		name := rest[0]
		next := filepath.Join(at, name)
		info, err := os.Lstat(next)
		if errors.Is(err, fs.ErrNotExist) && make {
			if err = os.Mkdir(next, missingMode); err == nil || errors.Is(err, fs.ErrExist) {
				info, err = os.Lstat(next)
			}
		}
		if err != nil {
			return "", fmt.Errorf("open place: %w", err)
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			if above, err = judge(next, info); err != nil {
				return "", err
			}
			if name == OwnName() && !owned(info) {
				return "", &Error{next, "it belongs to another user", elsewhere}
			}
			at, rest = next, rest[1:]
			continue
		}
		if shared(above) || own && len(rest) == 1 {
			return "", &Error{next, "it is a symbolic link", "remove the link, or name the directory that is meant"}
		}
		to, err := os.Readlink(next)
		if links++; err != nil || links > maxLinks {
			return "", fmt.Errorf("open place: cannot follow %s", next)
		}
		if filepath.IsAbs(to) {
			at = filepath.VolumeName(to) + string(filepath.Separator)
			if above, err = look(at); err != nil {
				return "", err
			}
			to = to[len(filepath.VolumeName(to)):]
		}
		rest = append(elements(to), rest[1:]...)
	}
	return at, nil
}

// elements splits a path; ".." stays, for it counts from where a link leads.
func elements(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == filepath.Separator || r == '/' })
}

func look(dir string) (fs.FileInfo, error) {
	info, err := os.Lstat(dir)
	if err != nil {
		return nil, fmt.Errorf("open place: %w", err)
	}
	return judge(dir, info)
}

// judge returns info if nobody but root and this user can change what lies in
// the directory, or not what others have in it.
func judge(dir string, info fs.FileInfo) (fs.FileInfo, error) {
	var why string
	switch {
	case !info.IsDir():
		return nil, &Error{dir, "it is not a directory", "remove it"}
	case !trusted(info):
		why = "it belongs to another user, who could swap what is in it"
	case shared(info) && info.Mode()&fs.ModeSticky == 0:
		why = "others may write it and it is not sticky, so they could swap what is in it"
	}
	if why != "" && os.Getenv(sharedParent) != "1" {
		return nil, &Error{dir, why, swapHint}
	}
	return info, nil
}
