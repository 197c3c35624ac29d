package web

import (
	"strings"
	"testing"

	"example.com/ginsvc/internal/store"
)

func TestIndex(t *testing.T) {
	notes := []store.Note{{ID: 1, Title: "milk & eggs"}}
	var page strings.Builder
	err := Templates().ExecuteTemplate(&page, "index.html", NewPage("dev", "Ada", notes))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Ada", "<code>dev</code>", "milk &amp; eggs"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("page lacks %q:\n%s", want, page.String())
		}
	}
}

func TestStatic(t *testing.T) {
	file, err := Static().Open("style.css")
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
}
