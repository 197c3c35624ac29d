package cache

import (
	"bytes"
	"testing"
)

func TestRecordBelongsToItsKey(t *testing.T) {
	record, err := encodeRecord(Recipe, "key", []byte("value"))
	if err != nil {
		t.Fatal(err)
	}
	if value, err := decodeRecord(Recipe, "key", record); err != nil || string(value) != "value" {
		t.Errorf("%q, %v", value, err)
	}
	for _, other := range []struct {
		kind Kind
		key  string
	}{{Recipe, "other"}, {Snapshot, "key"}, {"recip", "ekey"}, {"", ""}} {
		if _, err := decodeRecord(other.kind, other.key, record); err == nil {
			t.Errorf("the record was taken for (%s, %s)", other.kind, other.key)
		}
	}
}

func TestDamagedRecord(t *testing.T) {
	for _, value := range [][]byte{nil, []byte("value"), snapshotLike(5000)} {
		record, err := encodeRecord(Recipe, "key", value)
		if err != nil {
			t.Fatal(err)
		}
		for i := range record {
			for _, flip := range []byte{0x01, 0x80} {
				damaged := bytes.Clone(record)
				damaged[i] ^= flip
				if _, err := decodeRecord(Recipe, "key", damaged); err == nil {
					t.Errorf("byte %d of %d changed unnoticed", i, len(record))
				}
			}
			if _, err := decodeRecord(Recipe, "key", record[:i]); err == nil {
				t.Errorf("cut to %d of %d unnoticed", i, len(record))
			}
		}
	}
}

func FuzzDecodeRecord(f *testing.F) {
	for _, value := range [][]byte{nil, []byte("value"), snapshotLike(2000)} {
		record, err := encodeRecord(Recipe, "key", value)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(record, false)
		f.Add(record, true)
	}
	f.Fuzz(func(t *testing.T, record []byte, forge bool) {
		if forge && len(record) >= recordHead { // let it past the hash
			sum := recordSum(Recipe, "key", record)
			record = bytes.Clone(record)
			copy(record[6:], sum[:])
		}
		value, err := decodeRecord(Recipe, "key", record)
		if err != nil {
			return
		}
		if len(value) > maxValue {
			t.Errorf("a value of %d bytes", len(value))
		}
		again, err := encodeRecord(Recipe, "key", value)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := decodeRecord(Recipe, "key", again); err != nil || !bytes.Equal(back, value) {
			t.Errorf("the value does not survive: %v", err)
		}
	})
}

func FuzzDecodeHead(f *testing.F) {
	f.Add(head{used: 7, length: 5, inline: []byte("value")}.encode())
	f.Add(head{length: 1 << 20, pieces: [16]byte{1}}.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := decodeHead(b)
		if err != nil {
			return
		}
		if h.count() > (maxValue+recordHead)/pieceSize+1 {
			t.Errorf("%d pieces", h.count())
		}
		if !bytes.Equal(h.encode(), b) {
			t.Errorf("%x became %x", b, h.encode())
		}
	})
}
