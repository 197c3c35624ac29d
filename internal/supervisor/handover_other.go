//go:build !linux

package supervisor

import (
	"os"
	"time"
)

// handover is nothing here: only Linux lets a parent answer its child's
// system calls. Ports are free between two generations.
type handover struct{}

const handoverPlain = "plain"

func newHandover(Options) *handover { return &handover{} }

func (h *handover) current() string                 { return handoverPlain }
func (h *handover) install(*Generation)             {}
func (h *handover) holds() bool                     { return false }
func (h *handover) revive()                         {}
func (h *handover) sweep(*Generation)               {}
func (h *handover) drain(*Generation) time.Duration { return 0 }
func (h *handover) awaitHangUp(*Generation)         {}

func (h *handover) watchActivated(*Generation, []*os.File) {}

// standIn does nothing: connections wait.
func (h *handover) standIn(<-chan struct{}, []*os.File, func() string) {}

func (h *handover) close() {}

func (g *Generation) trapped() bool { return false }
