package supervisor

// guard is nothing here: a job object ends with the process that holds it.
type guard struct{}

func (d *guard) watch(int) {}

func (d *guard) release(int) {}

func (d *guard) close() {}
