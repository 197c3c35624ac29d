package tags

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// knownOS and knownArch are the words that pick a file when they end its name.
// Names that Go once knew or keeps for later stay in force, so these are more
// than the ports of one release (internal/syslist in the Go tree).
var (
	knownOS = words(`aix android darwin dragonfly freebsd hurd illumos ios js linux
		nacl netbsd openbsd plan9 solaris wasip1 windows zos`)
	knownArch = words(`386 amd64 amd64p32 arm arm64 arm64be armbe loong64 mips mips64
		mips64le mips64p32 mips64p32le mipsle ppc ppc64 ppc64le riscv riscv64 s390 s390x
		sparc sparc64 wasm`)
	// unixOS are the systems for which the tag unix holds.
	unixOS = words(`aix android darwin dragonfly freebsd hurd illumos ios linux netbsd
		openbsd solaris`)
	// derivedOS names the second system whose files a system also takes.
	derivedOS = map[string]string{"android": "linux", "illumos": "solaris", "ios": "darwin"}
)

func words(s string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

// archDefault is the level that a toolchain built without further wishes
// assumes (go help environment, architecture-specific variables).
var archDefault = map[string]string{
	"386":      "sse2",
	"amd64":    "v1",
	"arm":      "7",
	"arm64":    "v8.0",
	"mips":     "hardfloat",
	"mipsle":   "hardfloat",
	"mips64":   "hardfloat",
	"mips64le": "hardfloat",
	"ppc64":    "power8",
	"ppc64le":  "power8",
	"riscv64":  "rva20u64",
}

// archFeature reports whether the feature tag goarch.name holds at a level
// given as in Context.ArchLevel. Levels that are ordered hold all lower ones;
// go help buildconstraint lists the tags.
func archFeature(goarch, level, goVersion, name string) bool {
	_, value, ok := strings.Cut(level, "=")
	if !ok || value == "" && goarch != "wasm" {
		value = archDefault[goarch]
	}
	switch goarch {
	case "386", "mips", "mipsle", "mips64", "mips64le":
		return value != "" && name == value
	case "amd64":
		return numbered(name, value, "v", "", 1)
	case "arm":
		value, _, _ = strings.Cut(value, ",") // "7,hardfloat"
		return numbered(name, value, "", "", 5)
	case "arm64":
		return arm64Feature(name, value)
	case "ppc64", "ppc64le":
		return numbered(name, value, "power", "", 8)
	case "riscv64":
		return slices.Contains([]string{"rva20u64", "rva22u64", "rva23u64"}, name) &&
			numbered(name, value, "rva", "u64", 20)
	case "wasm":
		if name != "satconv" && name != "signext" {
			return false
		}
		// Both are always on since Go 1.26; before, GOWASM lists them.
		return !olderThan(goVersion, 26) || slices.Contains(strings.Split(value, ","), name)
	}
	return false
}

// numbered reports whether name and value are both prefix, a number, suffix,
// and name's number is from low to value's.
func numbered(name, value, prefix, suffix string, low int) bool {
	num := func(s string) int {
		s, ok := strings.CutPrefix(s, prefix)
		if !ok {
			return -1
		}
		s, ok = strings.CutSuffix(s, suffix)
		if !ok {
			return -1
		}
		n, err := strconv.Atoi(s)
		if err != nil || strconv.Itoa(n) != s {
			return -1
		}
		return n
	}
	n := num(name)
	return n >= low && n <= num(value)
}

// arm64Feature handles v8.0 to v8.9 and v9.0 to v9.5, of which v9.N includes
// v8.(N+5).
func arm64Feature(name, value string) bool {
	value, _, _ = strings.Cut(value, ",") // "v8.0,lse,crypto"
	major, minor, ok := armVersion(value)
	if !ok {
		return false
	}
	nMajor, nMinor, ok := armVersion(name)
	if !ok {
		return false
	}
	switch {
	case nMajor == major:
		return nMinor <= minor
	case nMajor == 8 && major == 9:
		return nMinor <= minor+5
	}
	return false
}

func armVersion(s string) (major, minor int, ok bool) {
	if _, err := fmt.Sscanf(s, "v%1d.%1d", &major, &minor); err != nil {
		return 0, 0, false
	}
	return major, minor, s == fmt.Sprintf("v%d.%d", major, minor)
}

// olderThan reports whether a known version is older than Go 1.minor.
func olderThan(goVersion string, minor int) bool {
	rel := releaseOf(goVersion)
	n, err := strconv.Atoi(strings.TrimPrefix(rel, "go1."))
	return err == nil && n < minor
}
