// Package symtab gives every symbol of a program one number and answers what
// it is: which object defines it, its kind, content and relocations.
//
// Packages are cold (they stay as they are for the life of a Table) or hot
// (their objects are replaced between links). Names and content hashes are
// resolved so that the cold part never depends on which hot package happens to
// define a duplicate: cold definitions are preferred, and a hot package keeps
// its own copy of content-addressed symbols that no cold package has. What a
// name means to hot packages is computed anew for each link by Begin.
//
// It does not decide what is linked (package reach) nor where (package layout).
// A Table belongs to one goroutine while it changes; between Begin and the next
// change Resolve may be called concurrently for symbols that reach has visited.
//
// Rules of resolution: GOROOT/src/cmd/link/internal/loader/loader.go.
package symtab

import "fmt"

// Fault is a condition that ends the link: an object that contradicts itself or
// something that this linker does not do. It is thrown with panic, because it
// can come up under any access to a symbol, and caught where the link began.
type Fault struct{ Reason string }

func (f *Fault) Error() string { return f.Reason }

// Fail throws a Fault.
func Fail(format string, args ...any) { panic(&Fault{fmt.Sprintf(format, args...)}) }
