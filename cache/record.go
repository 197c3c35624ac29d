package cache

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/klauspost/compress/s2"
)

// schema is the version of everything this package writes to a Store. A store
// of another schema is put aside as a whole, a record of another one is a miss.
const schema = 1

// A record is a value as an engine keeps it:
//
//	byte 0      schema
//	byte 1      codec of the payload
//	bytes 2-5   length of the value, little endian
//	bytes 6-37  SHA-256 of the kind, the key, bytes 0-5 and the payload
//	bytes 38-   payload
//
// Hashing the payload and not the value finds the same damage, sooner.
const (
	recordHead = 38
	// maxValue is far above the largest snapshot (5 MB of JSON), and what a
	// daemon can still hold twice while it reads.
	maxValue = 64 << 20
)

const (
	codecPlain = 0
	codecS2    = 1 // one block of github.com/klauspost/compress/s2
)

// compressFrom is the length from which compression is tried; below it saves
// less than a record's head.
const compressFrom = 512

var errRecord = errors.New("damaged record")

func encodeRecord(kind Kind, key string, value []byte) ([]byte, error) {
	if len(value) > maxValue {
		return nil, fmt.Errorf("%w: %s of %d bytes, at most %d", ErrTooLarge, kind, len(value), maxValue)
	}
	codec, payload := byte(codecPlain), value
	if len(value) >= compressFrom {
		if packed := s2.Encode(nil, value); len(packed) < len(value) {
			codec, payload = codecS2, packed
		}
	}
	record := make([]byte, recordHead, recordHead+len(payload))
	record[0], record[1] = schema, codec
	binary.LittleEndian.PutUint32(record[2:], uint32(len(value)))
	record = append(record, payload...)
	sum := recordSum(kind, key, record)
	copy(record[6:], sum[:])
	return record, nil
}

// decodeRecord returns the value of a record, in memory of its own.
func decodeRecord(kind Kind, key string, record []byte) ([]byte, error) {
	if len(record) < recordHead || record[0] != schema {
		return nil, errRecord
	}
	if sum := recordSum(kind, key, record); !bytes.Equal(sum[:], record[6:recordHead]) {
		return nil, errRecord
	}
	length := int(binary.LittleEndian.Uint32(record[2:]))
	payload := record[recordHead:]
	switch record[1] {
	case codecPlain:
		if len(payload) != length {
			return nil, errRecord
		}
		return slices.Clone(payload), nil
	case codecS2:
		// The length is checked before so much memory is taken.
		if n, err := s2.DecodedLen(payload); err != nil || n != length || n > maxValue {
			return nil, errRecord
		}
		value, err := s2.Decode(nil, payload)
		if err != nil {
			return nil, errRecord
		}
		return value, nil
	}
	return nil, errRecord
}

func recordSum(kind Kind, key string, record []byte) [sha256.Size]byte {
	hash := sha256.New()
	fmt.Fprintf(hash, "%d %s%d %s", len(kind), kind, len(key), key)
	hash.Write(record[:6])
	hash.Write(record[recordHead:])
	return [sha256.Size]byte(hash.Sum(nil))
}
