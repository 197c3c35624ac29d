package supervisor

import "os"

// Heard returns all signals: none can be ignored by who starts us.
func Heard(signals ...os.Signal) []os.Signal { return signals }
