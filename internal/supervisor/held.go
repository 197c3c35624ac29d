package supervisor

import (
	"fmt"
	"net/netip"
)

// This file is the pure half of the hand-over: what is held, and what is to be
// answered to a bind or listen of the program. It makes no system call.

// address is what must be equal for one listening socket to stand for another.
type address struct {
	family int // AF_INET or AF_INET6
	ip     netip.Addr
	scope  uint32
	port   uint16
	v6only bool
}

func (a address) String() string { return netip.AddrPortFrom(a.ip, a.port).String() }

// overlaps says whether the kernel refuses to let b listen while a does.
func (a address) overlaps(b address) bool {
	if a.port != b.port {
		return false
	}
	x, y := a.ip.Unmap(), b.ip.Unmap()
	if x == y && a.scope == b.scope && a.family == b.family {
		return true
	}
	return a.covers(y) || b.covers(x)
}

// covers says whether listening on a takes connections to ip.
func (a address) covers(ip netip.Addr) bool {
	own := a.ip.Unmap()
	switch {
	case own == ip:
		return true
	case !own.IsUnspecified():
		return false
	case own.Is4():
		return ip.Is4() || ip.IsUnspecified()
	default:
		return ip.Is6() || !a.v6only
	}
}

// place is a descriptor of the program.
type place struct {
	generation int
	pid        int // process, not thread
	fd         int
}

// held is a listening socket that outlives generations.
type held struct {
	address  address
	fd       int // our own descriptor of it
	inode    uint64
	claim    place // newest descriptor that the program got for it
	listened int   // newest generation that called listen on it
	idle     int   // consecutive looks that found it in no living process
}

// heldTable knows all held sockets, and sockets that may become held.
type heldTable struct {
	sockets map[address]*held
	bound   map[uint64]address // by inode: bound by the kernel, not listening yet
}

func newHeldTable() *heldTable {
	return &heldTable{sockets: map[address]*held{}, bound: map[uint64]address{}}
}

// verdict is the answer to a trapped call.
type verdict uint8

const (
	pass   verdict = iota // let the kernel do it
	done                  // answer success, nothing is left to do
	inUse                 // answer EADDRINUSE
	give                  // put our socket in place of the program's, answer success
	create                // make the socket here and put it in place (when it cannot be taken)
	keep                  // listen: keep a duplicate of the program's socket, then listen
	listen                // listen on the held socket
)

func (v verdict) String() string {
	if int(v) >= len(verdictNames) {
		return fmt.Sprintf("verdict(%d)", v)
	}
	return verdictNames[v]
}

var verdictNames = [...]string{"pass", "done", "inUse", "give", "create", "keep", "listen"}

// bindCall is what is known of a bind.
type bindCall struct {
	from      place
	inode     uint64
	address   address
	reusePort bool
	// take says that the socket itself could be examined and can be duplicated;
	// otherwise a held socket has to be made here.
	take bool
}

// bind decides; isOpen says whether the claimed descriptor still is the held
// socket. Sockets in drop are to be closed before the answer.
func (t *heldTable) bind(c bindCall, isOpen func(*held) bool) (v verdict, h *held, drop []*held) {
	for _, s := range t.sockets {
		if s.inode == c.inode {
			return done, s, nil // a bind that was interrupted after its answer and came again
		}
	}
	h = t.sockets[c.address]
	if h == nil {
		for a, s := range t.sockets {
			if a.overlaps(c.address) && !isOpen(s) {
				drop = append(drop, s) // it would make the kernel refuse this bind
				delete(t.sockets, a)
			}
		}
		if !c.take {
			return create, nil, drop
		}
		t.bound[c.inode] = c.address
		return pass, nil, drop
	}
	if h.claim.generation == c.from.generation && !c.reusePort && isOpen(h) {
		return inUse, h, nil // as without us: it is bound twice
	}
	return give, h, nil
}

// listen decides about a listen on the socket with this inode. Processes that share
// a port (SO_REUSEPORT) may all bind before the first of them listens: those that
// come later get its socket then. Two held sockets of one address cannot be, for
// after a restart only one of them would be taken up, and the kernel would go on to
// give the other its share of the connections.
func (t *heldTable) listen(inode uint64, reusePort bool) (verdict, *held) {
	for _, s := range t.sockets {
		if s.inode == inode {
			return listen, s
		}
	}
	if a, ok := t.bound[inode]; ok {
		if s := t.sockets[a]; s != nil && reusePort {
			return give, s
		} else if s != nil {
			return pass, nil // the kernel refuses it, as without us
		}
		return keep, &held{address: a, inode: inode}
	}
	return pass, nil
}

// add begins to hold h.
func (t *heldTable) add(h *held) {
	delete(t.bound, h.inode)
	t.sockets[h.address] = h
}

// complete says whether generation listens on all that is held.
func (t *heldTable) complete(generation int) bool {
	for _, s := range t.sockets {
		if s.listened != generation {
			return false
		}
	}
	return len(t.sockets) > 0
}
