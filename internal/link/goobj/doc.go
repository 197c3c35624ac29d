// Package goobj reads Go archives and the object format "go120ld" in place.
//
// ParseArchive splits an archive into its members; Parse opens one object and
// checks its frame; Object.Check looks at every record once, so that whoever
// follows an index afterwards cannot leave the file. Nothing is decoded ahead:
// symbol, relocation and aux records are views of the (usually mapped) bytes.
//
// It does not resolve references between objects and knows nothing of the
// version of the toolchain: numbers that differ between versions (symbol kinds,
// relocation types, builtin names) belong to package dialect.
//
// Called by packages symtab and link. All values are read-only after they are
// made and may be shared between goroutines.
//
// The format is described in GOROOT/src/cmd/internal/goobj/objfile.go, the
// archive in cmd/internal/archive.
package goobj
