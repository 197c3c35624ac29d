package protocol

import (
	"io/fs"
	"os"
)

// Windows has no owner or mode to read here. The default directory lies in the
// user's profile, whose access list keeps other users out; a directory named
// by HR_RUNTIME_DIR is taken on trust.

func userID() string { return os.Getenv("USERNAME") }

func ownedByUser(fs.FileInfo) bool { return true }

func ownerOnly(fs.FileInfo) bool { return true }
