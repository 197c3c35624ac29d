package watch

import (
	"path/filepath"
	"strings"
)

// DefaultExclude prunes version control and node_modules directories and the
// temporary files of editors.
func DefaultExclude(path string, dir bool) bool {
	name := filepath.Base(path)
	if dir {
		switch name {
		case ".git", ".hg", ".jj", ".svn", ".bzr", "node_modules":
			return true
		}
		return false
	}
	switch {
	case strings.HasSuffix(name, "~"): // vim, emacs, nano backups
	case strings.HasPrefix(name, ".#"): // emacs locks
	case len(name) > 2 && strings.HasPrefix(name, "#") && strings.HasSuffix(name, "#"): // emacs autosave
	case strings.HasPrefix(name, ".") && vimSwap(name):
	case strings.HasSuffix(name, "___jb_tmp___"), strings.HasSuffix(name, "___jb_old___"): // JetBrains safe write
	case strings.HasPrefix(name, ".goutputstream-"): // gedit
	case strings.HasSuffix(name, ".kate-swp"):
	case strings.HasPrefix(name, ".nfs") && len(name) > 20: // NFS silly rename
	case strings.HasPrefix(name, ".fuse_hidden"):
	case name == ".DS_Store":
	case allDigits(name): // 4913 and so on: vim tests whether it may write here
	case gofmtBackup(name):
	default:
		return false
	}
	return true
}

// vimSwap matches .name.swp, .swo ... .swa (vim counts down from p) and .swx.
func vimSwap(name string) bool {
	ext := filepath.Ext(name)
	return len(ext) == 4 && strings.HasPrefix(ext, ".sw") && ext[3] >= 'a' && ext[3] <= 'x'
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// gofmtBackup matches x.go.123456, which gofmt -w keeps while it writes x.go
// (cmd/gofmt, backupFile).
func gofmtBackup(name string) bool {
	i := strings.LastIndex(name, ".go.")
	return i > 0 && allDigits(name[i+len(".go."):])
}
