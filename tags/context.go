// Package tags decides which files belong to a build context.
//
// It holds the build context itself and its key, the rules by which the go
// command picks files (names, //go:build, the tags that a platform implies),
// the profiles dev, test and prod, and the did-you-mean for names that nobody
// knows. It reads no files and runs no commands: package astcheck reads a
// file's constraint, package graph asks here whether the file is in. All of it
// is pure, so every function may be called from several goroutines at once.
package tags

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"go/version"
	"strconv"
	"strings"
)

// keyVersion is part of every key. It must grow when a field is added or the
// meaning of one changes.
const keyVersion = 1

// Context is the build context: everything that picks files or changes the
// output of a build. It is a value: it must not be changed once it is shared.
type Context struct {
	GOOS   string `json:"goos"`
	GOARCH string `json:"goarch"`
	// ArchLevel is the architecture's own variable as go env shows it, in the
	// form "GOAMD64=v1". Empty stands for the toolchain's default.
	ArchLevel string `json:"archLevel,omitempty"`
	// Tags are the user's tags in the user's order: the go command writes them
	// into the program in that order, so another order is another output.
	Tags []string `json:"tags,omitempty"`
	// CGO says whether cgo is on.
	CGO bool `json:"cgo,omitempty"`
	// GoVersion is the toolchain's version in the form "go1.26.8".
	GoVersion string `json:"goVersion"`
	// Experiments are the names of all experiments that are on, those of the
	// toolchain's baseline included: go list shows each as the tool tag
	// goexperiment.NAME.
	Experiments []string `json:"experiments,omitempty"`
	Race        bool     `json:"race,omitempty"`
	MSan        bool     `json:"msan,omitempty"`
	ASan        bool     `json:"asan,omitempty"`
	// Flags are the other build flags that change the output, in order and in
	// the go command's form, as in "-trimpath" and "-ldflags=-s -w".
	Flags []string `json:"flags,omitempty"`
	// Env holds, sorted, KEY=VALUE of every further variable that changes the
	// output: GOEXPERIMENT, CGO_CFLAGS and their like.
	Env []string `json:"env,omitempty"`
}

// Key returns the hexadecimal SHA-256 of the whole context. Contexts that
// differ in any field have different keys.
func (c Context) Key() string {
	// Each string is preceded by its length and each list by its count, so no
	// two contexts share an encoding.
	var b []byte
	str := func(s string) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	list := func(l []string) {
		b = binary.AppendUvarint(b, uint64(len(l)))
		for _, s := range l {
			str(s)
		}
	}
	flag := func(v bool) {
		str(strconv.FormatBool(v))
	}
	b = binary.AppendUvarint(b, keyVersion)
	str(c.GOOS)
	str(c.GOARCH)
	str(c.ArchLevel)
	list(c.Tags)
	flag(c.CGO)
	str(c.GoVersion)
	list(c.Experiments)
	flag(c.Race)
	flag(c.MSan)
	flag(c.ASan)
	list(c.Flags)
	list(c.Env)
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Satisfied reports whether a build constraint that names the tag is true in
// this context: for the user's tags and for all that the context implies. The
// compiler is always gc. The rules are those of go/build, matchTag.
func (c Context) Satisfied(tag string) bool {
	switch tag {
	case "":
		return false
	case c.GOOS, c.GOARCH, "gc":
		return true
	case "cgo":
		if c.CGO {
			return true
		}
	case "unix":
		if unixOS[c.GOOS] {
			return true
		}
	case "race":
		if c.Race {
			return true
		}
	case "msan":
		if c.MSan {
			return true
		}
	case "asan":
		if c.ASan {
			return true
		}
	case "boringcrypto":
		// The old name of the experiment; a user's tag of the old name does
		// not count, as in go/build.
		tag = "goexperiment.boringcrypto"
	case "linux", "solaris", "darwin":
		if derivedOS[c.GOOS] == tag {
			return true
		}
	}
	for _, t := range c.Tags {
		if t == tag {
			return true
		}
	}
	if name, ok := strings.CutPrefix(tag, "goexperiment."); ok {
		for _, e := range c.Experiments {
			if e == name {
				return true
			}
		}
		return false
	}
	if strings.HasPrefix(tag, "go1.") {
		return c.hasRelease(tag)
	}
	if strings.HasPrefix(tag, c.GOARCH+".") {
		return archFeature(c.GOARCH, c.ArchLevel, c.GoVersion, tag[len(c.GOARCH)+1:])
	}
	return false
}

// hasRelease reports whether the tag go1.N is one of go1.1 to the toolchain's
// own release. An unknown toolchain version has none.
func (c Context) hasRelease(tag string) bool {
	n, err := strconv.Atoi(tag[len("go1."):])
	if err != nil || n < 1 || tag != "go1."+strconv.Itoa(n) {
		return false
	}
	have := releaseOf(c.GoVersion)
	return have != "" && version.Compare(tag, have) <= 0
}

// releaseOf returns "go1.26" for "go1.26.8", "go1.26rc1", "go1.26.8 X:exp" and
// "devel go1.26-abcdef", and "" for what is no version.
func releaseOf(v string) string {
	for _, f := range strings.Fields(v) {
		if lang := version.Lang(strings.SplitN(f, "-", 2)[0]); lang != "" {
			return lang
		}
	}
	return ""
}
