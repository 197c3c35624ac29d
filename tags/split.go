package tags

import (
	"fmt"
	"strings"
	"unicode"
)

// SplitError tells of a value of -tags that cannot be meant.
type SplitError struct {
	Tag  string // the offending tag
	Msg  string // what is wrong with it
	Hint string // what to type instead, "" if unknown
}

func (e *SplitError) Error() string {
	return fmt.Sprintf("tag %q: %s", e.Tag, e.Msg)
}

// Split reads the value of -tags: names between commas, empty ones dropped, in
// the user's order. The go command also takes names between spaces, as before
// Go 1.13, and names that no constraint can spell; here both are a *SplitError,
// for they hide typing errors.
func Split(s string) ([]string, error) {
	var list []string
	for tag := range strings.SplitSeq(s, ",") {
		if tag == "" {
			continue
		}
		if strings.ContainsFunc(tag, unicode.IsSpace) {
			return nil, &SplitError{
				Tag:  tag,
				Msg:  "a tag has no spaces",
				Hint: "-tags=" + strings.Join(strings.FieldsFunc(s, isSeparator), ","),
			}
		}
		if bad := strings.IndexFunc(tag, badInTag); bad >= 0 {
			return nil, &SplitError{
				Tag: tag,
				Msg: fmt.Sprintf("%q cannot be in a tag, which has letters, digits, _ and .", []rune(tag[bad:])[0]),
			}
		}
		list = append(list, tag)
	}
	return list, nil
}

func isSeparator(r rune) bool {
	return r == ',' || unicode.IsSpace(r)
}

// badInTag holds the opposite of go/build/constraint, isValidTag.
func badInTag(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '.'
}
