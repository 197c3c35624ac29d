package graph

import (
	"crypto/sha256"
	"encoding/hex"
	"go/scanner"
	"go/token"
	"io"
	"io/fs"
	"time"
)

// This file reads large files as little as possible: what a build does not read,
// or only embeds, must not take memory here.

// headSize is what is read of a Go file to see whether it is of the build: few
// have more than a kilobyte above their imports. maxHead bounds the comments
// above a package clause; what is longer the go command may judge.
const (
	headSize = 64 << 10
	maxHead  = 16 << 20
)

// readHead returns the beginning of a Go file up to and with its package clause,
// cut tells that more follows. A file of up to headSize comes whole, and one
// without a package clause as far as maxHead.
func readHead(path string) (head []byte, cut bool, err error) {
	f, _, err := openRegular(path)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	for size := headSize; ; size *= 4 {
		more, err := io.ReadAll(io.LimitReader(f, int64(size-len(head))))
		if err != nil {
			return nil, false, &fs.PathError{Op: "read", Path: path, Err: err}
		}
		if head = append(head, more...); len(head) < size {
			return head, false, nil
		}
		if end := packageClause(head); end > 0 {
			return append(head[:end:end], '\n'), true, nil
		}
		if size >= maxHead {
			return head, true, nil
		}
	}
}

// packageClause returns where the package clause of a source ends, 0 if it is not
// there whole.
func packageClause(src []byte) int {
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(src))
	var sc scanner.Scanner
	sc.Init(file, src, nil, 0)
	if _, tok, _ := sc.Scan(); tok != token.PACKAGE {
		return 0
	}
	pos, tok, name := sc.Scan()
	if end := file.Offset(pos) + len(name); tok == token.IDENT && end < len(src) {
		return end
	}
	return 0
}

// hashFile returns the hash of a file and a stamp that belong together, as
// readFile does of its content, which is not kept.
func hashFile(path string) (hash string, stamp Stamp, err error) {
	stamp, err = stamped(path, func() error {
		f, _, err := openRegular(path)
		if err != nil {
			return err
		}
		defer f.Close()
		h := sha256.New()
		if _, err := io.Copy(h, f); err != nil {
			return &fs.PathError{Op: "read", Path: path, Err: err}
		}
		hash = hex.EncodeToString(h.Sum(nil))
		return nil
	})
	if err != nil {
		return "", stamp, err
	}
	return hash, stamp, nil
}

// stamped calls read until the file had the same stamp before and after it.
func stamped(path string, read func() error) (Stamp, error) {
	for try := 0; ; try++ {
		fi, link, err := stat(path)
		if err != nil {
			return Stamp{Gone: true, Link: link}, err
		}
		before := stampOf(fi, time.Now())
		before.Link = link
		if err := read(); err != nil {
			return before, err
		}
		after := StampOf(path)
		before.Racy = before.Racy || after.Racy
		after.Racy = before.Racy
		// A file that is being written all the time is given up on after three
		// tries: the writer's next event brings us back.
		if before == after || try == 2 {
			return after, nil
		}
	}
}
