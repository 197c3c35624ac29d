package place

import (
	"errors"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"io"
	"io/fs"
	"time"
)

// A seal is the modification time of a file that is complete: whole seconds made
// of its key and size, and behind the point what its bytes add up to. Any later
// write moves it, so that a file that was cut or changed is found without being
// read; one whose time was set back, or that the disk has changed, is found when
// it is read. A file system that keeps whole seconds only loses the second part.

// ErrDamaged says that a file is not what was sealed.
var ErrDamaged = errors.New("the file is damaged")

// Sum stands for the bytes of a file; 0 is none. It is small enough for the
// microseconds of a time, which all but old file systems keep.
type Sum uint32

const sums = 999_999

// Seal returns the modification time of a file.
func Seal(key string, size int64, sum Sum) time.Time {
	hash := fnv.New64a()
	fmt.Fprint(hash, key, size)
	// Between 2001 and 2017: no clock gives that to a file that is written now.
	return time.Unix(1_000_000_000+int64(hash.Sum64()%500_000_000), int64(sum)*int64(time.Microsecond))
}

// Sealed tells whether a file has the seal of its key and size.
func Sealed(key string, info fs.FileInfo) bool {
	return info.Mode().IsRegular() && info.ModTime().Unix() == Seal(key, info.Size(), 0).Unix()
}

func sumIn(info fs.FileInfo) Sum {
	return Sum(info.ModTime().Nanosecond() / int(time.Microsecond))
}

// block is how much one sum of a Tally covers: a page, the unit in which
// programs are patched.
const block = 4 << 10

var castagnoli = crc32.MakeTable(crc32.Castagnoli) // processors compute it

var zeros = crc32.Checksum(make([]byte, block), castagnoli)

// Tally is the sums of the blocks of a file, of which the Sum is made: who
// changes a few blocks need not read the others again.
type Tally []uint32

// NewTally returns the tally of size zeros.
func NewTally(size int) Tally {
	t := make(Tally, (size+block-1)/block)
	for i := range t {
		t[i] = zeros
	}
	if n := size % block; n != 0 {
		t[len(t)-1] = crc32.Checksum(make([]byte, n), castagnoli)
	}
	return t
}

// Update takes over the blocks of whole between off and end.
func (t Tally) Update(whole []byte, off, end int) {
	for i := off / block; i < (end+block-1)/block; i++ {
		t[i] = crc32.Checksum(whole[i*block:min((i+1)*block, len(whole))], castagnoli)
	}
}

// Sum returns the sum of the file.
func (t Tally) Sum() Sum {
	var b []byte
	for _, v := range t {
		b = append(b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
	}
	return Sum(crc32.Checksum(b, castagnoli)%sums + 1)
}

// SumOf reads a file to its end.
func SumOf(r io.Reader) (Sum, error) {
	var t Tally
	buf := make([]byte, 64*block)
	for {
		n, err := io.ReadFull(r, buf)
		for off := 0; off < n; off += block {
			t = append(t, crc32.Checksum(buf[off:min(off+block, n)], castagnoli))
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return t.Sum(), nil
		}
		if err != nil {
			return 0, err
		}
	}
}
