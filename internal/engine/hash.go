package engine

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"

	"github.com/hotreflex/hr/internal/graph"
)

// schema is part of every key: raise it when the meaning of a stored value or
// of an action id changes.
const schema = "hr build 3"

// keyHash makes keys. Every value is written with its length, so that no two
// lists of values give the same bytes.
type keyHash struct{ h hash.Hash }

func newHash(what string) *keyHash {
	k := &keyHash{sha256.New()}
	k.add(schema, what)
	return k
}

func (k *keyHash) add(values ...string) {
	var n [8]byte
	for _, v := range values {
		binary.LittleEndian.PutUint64(n[:], uint64(len(v)))
		k.h.Write(n[:])
		k.h.Write([]byte(v))
	}
}

// addFile adds a file's content; an absent file differs from an empty one.
func (k *keyHash) addFile(path string) {
	data, err := graph.ReadFile(path)
	if err != nil {
		k.add("absent")
		return
	}
	k.add(path, string(data))
}

func (k *keyHash) sum() string { return hex.EncodeToString(k.h.Sum(nil)) }
