package cache

import (
	"fmt"
	"os"
	"time"
)

// youth is how long after Open a crash is blamed on the store.
const youth = 60 * time.Second

// maxCrashes in a row within the youth of a store condemn it. One may be a
// kill -9.
const maxCrashes = 2

// life is the file that tells the next process how the last one fared. Badger
// can end the process from goroutines of its own (log.Fatal, a panic, SIGBUS),
// so that damage which Open does not find would else come back at every start.
// Its text is a stage and the number of crashes before it.
type life struct {
	path    string
	crashes int
	born    time.Time
	settled bool // this process outlived the store's youth
}

// verdict reads the file and returns why the store must not be opened, or "".
func (l *life) verdict() string {
	text, err := os.ReadFile(l.path)
	if err != nil {
		return ""
	}
	var stage string
	fmt.Sscan(string(text), &stage, &l.crashes)
	switch stage {
	case "opening":
		l.crashes = 0
		return "opening it ended the process"
	case "broken":
		l.crashes = 0
		return "it broke while it was in use"
	case "young":
		l.crashes++
		if l.crashes >= maxCrashes {
			crashes := l.crashes
			l.crashes = 0
			return fmt.Sprintf("the process ended %d times within %v of opening it", crashes, youth)
		}
		return ""
	}
	l.crashes = 0
	return ""
}

func (l *life) opening() error { return l.write("opening") }

func (l *life) opened(now time.Time) error {
	l.born = now
	return l.write("young")
}

// grown notes that the store has outlived its youth.
func (l *life) grown(now time.Time) {
	if !l.settled && now.Sub(l.born) >= youth {
		l.settled = true
		l.crashes = 0
		l.write("grown") // if it fails, a later crash counts that should not
	}
}

func (l *life) broken() { l.write("broken") }

func (l *life) closed() error {
	l.crashes = 0
	return l.write("closed")
}

func (l *life) write(stage string) error {
	return os.WriteFile(l.path, fmt.Appendln(nil, stage, l.crashes), 0o600)
}
