package place

import (
	"errors"
	"os"
)

// Hold has no lock here that others would heed: a file that is in use cannot be
// removed anyway.
func Hold(*os.File, bool) (bool, error) { return false, errors.ErrUnsupported }
