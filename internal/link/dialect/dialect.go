// Package dialect knows what differs between toolchain versions in objects and
// in the tables the runtime expects.
//
// What can be read from the toolchain's own source is read from there: the
// builtin list, the numbers of symbol kinds and relocation types. The rest is a
// short table per version. A version, a kind or a number that is not understood
// is an error: the caller then refuses the link.
//
// It does not read objects. Package link calls it once per toolchain; a Dialect
// is read-only.
package dialect

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Kind says where a symbol goes. The numbers are ours, not those of any version.
type Kind uint8

const (
	None Kind = iota // pc tables and other symbols that are never placed
	Text
	TextFIPS
	Rodata
	RodataFIPS
	Noptrdata
	NoptrdataFIPS
	Data
	DataFIPS
	BSS
	NoptrBSS
	TLSBSS
	Debug       // DWARF, SEH: ignored
	Unsupported // coverage and fuzzing counters: refused when reached
	Unknown     // a number this package has never heard of
)

// IsText tells whether k is code.
func (k Kind) IsText() bool { return k == Text || k == TextFIPS }

// IsFIPS tells whether k belongs between the brackets of the FIPS module.
func (k Kind) IsFIPS() bool {
	return k == TextFIPS || k == RodataFIPS || k == NoptrdataFIPS || k == DataFIPS
}

// Relocation types of amd64 objects. All but InitOrder have had the same number
// in every supported version, which Load checks.
const (
	RelocAddr           = 1
	RelocAddrOff        = 5
	RelocSize           = 6
	RelocCall           = 7
	RelocCallInd        = 10
	RelocConst          = 13
	RelocPCRel          = 14
	RelocTLSLE          = 15
	RelocUseType        = 22
	RelocUseIface       = 23
	RelocUseIfaceMethod = 24
	RelocUseNamedMethod = 25
	RelocMethodOff      = 26
	RelocKeep           = 27
)

var stableRelocs = map[string]int{
	"R_ADDR": RelocAddr, "R_ADDROFF": RelocAddrOff, "R_SIZE": RelocSize,
	"R_CALL": RelocCall, "R_CALLIND": RelocCallInd, "R_CONST": RelocConst,
	"R_PCREL": RelocPCRel, "R_TLS_LE": RelocTLSLE, "R_USETYPE": RelocUseType,
	"R_USEIFACE": RelocUseIface, "R_USEIFACEMETHOD": RelocUseIfaceMethod,
	"R_USENAMEDMETHOD": RelocUseNamedMethod, "R_METHODOFF": RelocMethodOff,
	"R_KEEP": RelocKeep,
}

// Builtin is a function that objects refer to by its number in a fixed list.
type Builtin struct {
	Name string
	ABI  int
}

// Dialect is one toolchain version.
type Dialect struct {
	GOROOT    string // that it was read from
	Minor     int    // 26 for go1.26.x
	Version   string
	Builtins  []Builtin
	InitOrder uint16 // relocation type of import order between init tasks

	// MapTypeSize is the distance from the common part of a map type to its
	// uncommon part (internal/abi.MapType).
	MapTypeSize int
	// TextStartInHeader: the pc header holds the address of the text.
	TextStartInHeader bool
	// StrongReplacesDupok: a definition that must be unique replaces one that
	// may be duplicated (cmd/link/internal/loader, addSym).
	StrongReplacesDupok bool
	// ContiguousTypes: no typelinks and itablinks tables; the runtime walks
	// the descriptors themselves.
	ContiguousTypes bool

	kinds [256]Kind
}

// Kind translates the kind number of an object's symbol.
func (d *Dialect) Kind(raw uint8) Kind { return d.kinds[raw] }

// Load reads the dialect of the toolchain at goroot. version is
// runtime.Version(), header the first line of one of its objects.
func Load(goroot, version, header string) (*Dialect, error) {
	minor, err := minorVersion(version)
	if err != nil {
		return nil, err
	}
	d := &Dialect{GOROOT: goroot, Minor: minor, Version: version}
	switch minor {
	case 24, 25:
		d.MapTypeSize = 64
		d.TextStartInHeader = true
		if strings.Contains(header, "noswissmap") {
			d.MapTypeSize = 16
		}
	case 26:
		d.MapTypeSize = 64
	case 27:
		d.MapTypeSize = 88
		d.StrongReplacesDupok = true
		d.ContiguousTypes = true
	default:
		return nil, fmt.Errorf("toolchain %s is not known", version)
	}
	src := filepath.Join(goroot, "src", "cmd", "internal")
	if d.Builtins, err = readBuiltins(filepath.Join(src, "goobj", "builtinlist.go")); err != nil {
		return nil, err
	}
	relocs, err := readIota(filepath.Join(src, "objabi", "reloctype.go"), "R_ADDR")
	if err != nil {
		return nil, err
	}
	for name, n := range stableRelocs {
		if relocs[name] != n {
			return nil, fmt.Errorf("relocation type %s is %d, expected %d", name, relocs[name], n)
		}
	}
	n := relocs["R_INITORDER"]
	if n <= RelocKeep || n > 0xff {
		return nil, fmt.Errorf("relocation type R_INITORDER is %d", n)
	}
	d.InitOrder = uint16(n)
	kinds, err := readIota(filepath.Join(src, "objabi", "symkind.go"), "Sxxx")
	if err != nil {
		return nil, err
	}
	return d, d.setKinds(kinds)
}

var kindNames = map[string]Kind{
	"Sxxx": None, "STEXT": Text, "STEXTFIPS": TextFIPS,
	"SRODATA": Rodata, "SRODATAFIPS": RodataFIPS,
	"SNOPTRDATA": Noptrdata, "SNOPTRDATAFIPS": NoptrdataFIPS,
	"SDATA": Data, "SDATAFIPS": DataFIPS,
	"SBSS": BSS, "SNOPTRBSS": NoptrBSS, "STLSBSS": TLSBSS,
	"SLIBFUZZER_8BIT_COUNTER": Unsupported,
	"SCOVERAGE_COUNTER":       Unsupported, "SCOVERAGE_AUXVAR": Unsupported,
	"SSEHUNWINDINFO": Debug,
}

func (d *Dialect) setKinds(numbers map[string]int) error {
	for i := range d.kinds {
		d.kinds[i] = Unknown
	}
	for name, n := range numbers {
		k, ok := kindNames[name]
		switch {
		case ok:
		case strings.HasPrefix(name, "SDWARF"):
			k = Debug
		default:
			k = Unknown
		}
		d.kinds[n&0xff] = k
	}
	for name := range kindNames {
		if _, ok := numbers[name]; !ok {
			return fmt.Errorf("symbol kind %s is missing from the toolchain", name)
		}
	}
	return nil
}

// VersionLine is the first line of GOROOT/VERSION: what runtime.Version returns
// in a program without experiments.
func VersionLine(goroot string) (string, error) {
	b, err := os.ReadFile(filepath.Join(goroot, "VERSION"))
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return strings.TrimSpace(line), nil
}

func minorVersion(version string) (int, error) {
	rest, ok := strings.CutPrefix(version, "go1.")
	if !ok {
		return 0, fmt.Errorf("toolchain %q is not a release", version)
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(rest)
	}
	n, err := strconv.Atoi(rest[:end])
	if err != nil {
		return 0, fmt.Errorf("toolchain %q is not a release", version)
	}
	return n, nil
}
