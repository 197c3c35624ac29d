package exact

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

type inner struct {
	Names map[string]*inner `json:"names,omitempty"`
	Words []string          `json:"words"`
	Env   map[string]string `json:"env,omitempty"`
}

type outer struct {
	inner
	Embedded inner
	At       time.Time
	Data     []byte
	Any      any
	Pair     [2]string
	kept     string
}

var names = []string{
	"", "plain", "ä", "\xff", "a\xffb\xfe", "\xc3", "\xe2\x82", "\ufffd", "\ufffd\xff", "\ufdd0", "\ufdd0--", "\ufdd0ff\xff", "\ufdd0f", "\\ufffd", "\x00\x1b<&>",
}

func TestRoundTrip(t *testing.T) {
	for _, name := range names {
		v := outer{
			Embedded: inner{Names: map[string]*inner{name: {Words: []string{name, "x"}}, "nil": nil}, Env: map[string]string{name + "k": name}},
			At:       time.Unix(1, 0).UTC(), Data: []byte{0xff, 0xfe}, Any: map[string]any{name: []any{name}}, Pair: [2]string{name, name},
		}
		data, err := Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(data) || bytes.Contains(data, []byte("\n")) {
			t.Errorf("%q: %s is not a line of JSON", name, data)
		}
		var back outer
		if err := Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back, v) {
			t.Errorf("%q: %+v comes back as %+v", name, v, back)
		}
	}
}

// TestUntouched: the value that is written stays as it is, and what has nothing
// to keep is plain JSON.
func TestUntouched(t *testing.T) {
	v := &outer{Embedded: inner{Words: []string{"\xff"}}, kept: "inside"}
	if _, err := Marshal(v); err != nil || v.Embedded.Words[0] != "\xff" {
		t.Errorf("%+v (%v)", v, err)
	}
	if err := Unmarshal([]byte("{\"Pair\":[\"\ufdd0ff\",\"\ufdd0zz\"]}"), v); err != nil || v.Pair != [2]string{"\xff", "\ufdd0zz"} || v.kept != "inside" {
		t.Errorf("%+v (%v)", v, err)
	}
	got, err := Marshal(map[string]string{"ä\ufffd": "<b>"})
	if want, _ := json.Marshal(map[string]string{"ä\ufffd": "<b>"}); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
}

func FuzzRoundTrip(f *testing.F) {
	for _, name := range names {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, s string) {
		data, err := Marshal(map[string]string{s: s})
		if err != nil {
			t.Fatal(err)
		}
		var back map[string]string
		if err := Unmarshal(data, &back); err != nil || back[s] != s || len(back) != 1 {
			t.Errorf("%q comes back as %q (%v)", s, back, err)
		}
		Unmarshal([]byte(s), &back) // whatever it is
	})
}
