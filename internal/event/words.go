package event

import (
	"fmt"
	"strings"
	"time"
)

// Duration prints a duration as people read it: whole milliseconds, one decimal
// below ten, seconds from ten on.
func Duration(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	case d < 10*time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// Names joins the names of a batch's files: three at most.
func Names(names []string) string {
	switch {
	case len(names) == 0:
		return "the source"
	case len(names) > 3:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:2], ", "), len(names)-2)
	}
	return strings.Join(names, ", ")
}
