package symtab

import "hash/maphash"

// slot is what a (name, ABI) pair means. cold is the meaning as far as cold
// packages go, win the meaning in the present link.
type slot struct {
	name      string
	abi       uint16
	cold, win ID
}

// names is an open-addressed table from (name, ABI) to slots. It exists beside
// Go's map because the hashes are computed by the goroutines that parse.
type names struct {
	hash  []uint64 // 0: empty
	slots []uint32
	n     int
}

// seed is fixed per process so that parsers need no table.
var seed = maphash.MakeSeed()

func hashName(name string, abi uint16) uint64 {
	h := maphash.String(seed, name)*2 + uint64(abi&1)
	if h == 0 {
		h = 2
	}
	return h
}

// slot finds or makes the slot of a name.
func (t *Table) slot(name string, abi uint16, h uint64) uint32 {
	n := &t.names
	if 2*n.n >= len(n.hash) {
		n.resize(max(1024, 4*n.n))
	}
	mask := uint64(len(n.hash) - 1)
	for i := (h >> 7) & mask; ; i = (i + 1) & mask {
		switch n.hash[i] {
		case 0:
			s := uint32(len(t.slots))
			t.slots = append(t.slots, slot{name: name, abi: abi})
			n.hash[i], n.slots[i] = h, s
			n.n++
			return s
		case h:
			s := n.slots[i]
			if e := &t.slots[s]; e.name == name && e.abi == abi {
				return s
			}
		}
	}
}

// reserveNames makes room for n more names at once.
func (t *Table) reserveNames(n int) {
	if need := 2 * (t.names.n + n); need > len(t.names.hash) {
		t.names.resize(need)
	}
	if need := len(t.slots) + n; need > cap(t.slots) {
		t.slots = append(make([]slot, 0, need), t.slots...)
	}
}

func (n *names) resize(size int) {
	p := 1024
	for p < size {
		p *= 2
	}
	oldHash, oldSlots := n.hash, n.slots
	n.hash, n.slots = make([]uint64, p), make([]uint32, p)
	mask := uint64(p - 1)
	for i, h := range oldHash {
		if h == 0 {
			continue
		}
		j := (h >> 7) & mask
		for n.hash[j] != 0 {
			j = (j + 1) & mask
		}
		n.hash[j], n.slots[j] = h, oldSlots[i]
	}
}

// Lookup is the symbol that a name means in the present link, or 0.
func (t *Table) Lookup(name string, abi uint16) ID {
	return t.slots[t.slot(name, abi, hashName(name, abi))].win
}

// SlotNamed is the slot of a name, for Meaning.
func (t *Table) SlotNamed(name string, abi uint16) uint32 {
	return t.slot(name, abi, hashName(name, abi))
}
