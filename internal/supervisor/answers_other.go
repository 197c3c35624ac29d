//go:build !linux

package supervisor

// answers knows nothing here.
type answers struct{ both bool }

func (a *answers) stop()                   {}
func (a *answers) restart(*Generation)     {}
func (a *answers) any() (sent, known bool) { return false, false }
func (a *answers) already() bool           { return false }
