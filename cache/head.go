package cache

import "encoding/binary"

// head describes a record:
//
//	bytes 0-3   last use, Unix seconds, little endian
//	bytes 4-7   length of the record
//	bytes 8-23  name of the pieces; zero when the record is inline
//	bytes 24-   the record, when inline
type head struct {
	used   uint32
	length uint32
	pieces [16]byte
	inline []byte
}

const headLength = 24

func (h head) encode() []byte {
	b := make([]byte, headLength, headLength+len(h.inline))
	binary.LittleEndian.PutUint32(b[0:], h.used)
	binary.LittleEndian.PutUint32(b[4:], h.length)
	copy(b[8:], h.pieces[:])
	return append(b, h.inline...)
}

// decodeHead keeps a reference to b.
func decodeHead(b []byte) (head, error) {
	if len(b) < headLength {
		return head{}, errRecord
	}
	h := head{
		used:   binary.LittleEndian.Uint32(b[0:]),
		length: binary.LittleEndian.Uint32(b[4:]),
		pieces: [16]byte(b[8:24]),
		inline: b[headLength:],
	}
	inline := h.pieces == [16]byte{}
	if inline && int(h.length) != len(h.inline) || !inline && len(h.inline) > 0 ||
		h.length > maxValue+recordHead {
		return head{}, errRecord
	}
	return h, nil
}

// count returns how many pieces the record has.
func (h head) count() int {
	if h.pieces == [16]byte{} {
		return 0
	}
	return (int(h.length) + pieceSize - 1) / pieceSize
}

func (h head) pieceKey(n int) []byte {
	key := append([]byte{piecePrefix}, h.pieces[:]...)
	return binary.BigEndian.AppendUint32(key, uint32(n))
}

func headKey(id string) []byte { return append([]byte{headPrefix}, id...) }
