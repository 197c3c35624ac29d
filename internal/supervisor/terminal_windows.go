package supervisor

// terminal is nothing here: a Windows console serves all its processes.
type terminal struct{}

func newTerminal(Options) *terminal { return &terminal{} }

func (t *terminal) started(int) {}

func (t *terminal) takeBack(int) bool { return false }

func (s *Supervisor) childStopped() {}
