// Package web is the service's page: an embedded template and its style sheet.
package web

import (
	"embed"
	"html/template"
	"io/fs"
	"net/http"

	"example.com/ginsvc/internal/greet"
	"example.com/ginsvc/internal/store"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed static
var static embed.FS

// Page is what templates/index.html shows.
type Page struct {
	Service  string
	Mode     string
	Greeting string
	Notes    []store.Note
}

// NewPage fills a page for one visit.
func NewPage(mode, visitor string, notes []store.Note) Page {
	return Page{
		Service:  greet.Service,
		Mode:     mode,
		Greeting: greet.Hello(visitor),
		Notes:    notes,
	}
}

// Templates parses the embedded templates.
func Templates() *template.Template {
	return template.Must(template.ParseFS(templates, "templates/*.html"))
}

// Static returns the files under static.
func Static() http.FileSystem {
	sub, err := fs.Sub(static, "static")
	if err != nil {
		panic(err) // the directory is part of the program
	}
	return http.FS(sub)
}
