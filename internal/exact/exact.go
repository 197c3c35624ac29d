// Package exact is JSON that keeps every byte of a string.
//
// A file name, a variable or an argument is any bytes, but a JSON string is
// text: encoding/json puts U+FFFD in place of what is not UTF-8, and the name
// that is read back names nothing. Here such a byte is written as the
// noncharacter U+FDD0 and its two hex digits; the noncharacter itself, which no
// text should hold (Unicode, 23.7), as U+FDD0 and two dashes. All else is the
// JSON that encoding/json makes, at its speed: strings are only walked where
// there is something to write so.
package exact

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"reflect"
	"strings"
	"unicode/utf8"
)

const (
	lead = "\ufdd0"
	self = "--" // behind lead: lead itself
	// replaced is what encoding/json writes for a byte that is no text.
	replaced = `\ufffd`
)

// Marshal returns the JSON of v, without a line break in it.
func Marshal(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil || !bytes.Contains(data, []byte(replaced)) && !bytes.Contains(data, []byte(lead)) {
		return data, err
	}
	return json.Marshal(mapped(reflect.ValueOf(v), escape).Interface())
}

// Unmarshal reads what Marshal made into v.
func Unmarshal(data []byte, v any) error {
	if err := json.Unmarshal(data, v); err != nil || !bytes.Contains(data, []byte(lead)) {
		return err
	}
	to := reflect.ValueOf(v).Elem()
	to.Set(mapped(to, unescape))
	return nil
}

func escape(s string) string {
	if utf8.ValidString(s) {
		return strings.ReplaceAll(s, lead, lead+self)
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			b.WriteString(lead + hex.EncodeToString([]byte{s[i]}))
		case s[i:i+n] == lead:
			b.WriteString(lead + self)
		default:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

func unescape(s string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, lead)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		if len(after) >= 2 {
			if c, err := hex.DecodeString(after[:2]); err == nil {
				b.Write(c)
				s = after[2:]
				continue
			}
		}
		b.WriteString(lead)
		s = strings.TrimPrefix(after, self)
	}
}

// mapped returns a copy of v with f done to every string in it that JSON can
// show, map keys included.
func mapped(v reflect.Value, f func(string) string) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch v.Kind() {
	case reflect.String:
		out.SetString(f(v.String()))
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(v.Type().Elem()))
			out.Elem().Set(mapped(v.Elem(), f))
		}
	case reflect.Interface:
		if !v.IsNil() {
			out.Set(mapped(v.Elem(), f))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				out.Field(i).Set(mapped(v.Field(i), f))
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			out.Index(i).Set(mapped(v.Index(i), f))
		}
	case reflect.Slice:
		if v.IsNil() || v.Type().Elem().Kind() == reflect.Uint8 {
			break // bytes are no text: JSON has them as base64
		}
		out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		for i := range v.Len() {
			out.Index(i).Set(mapped(v.Index(i), f))
		}
	case reflect.Map:
		if v.IsNil() {
			break
		}
		out.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
		for it := v.MapRange(); it.Next(); {
			out.SetMapIndex(mapped(it.Key(), f), mapped(it.Value(), f))
		}
	}
	return out
}
