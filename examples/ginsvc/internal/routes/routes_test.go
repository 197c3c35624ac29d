package routes

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/ginsvc/internal/config"
	"example.com/ginsvc/internal/greet"
	"example.com/ginsvc/internal/store"
)

func TestRoutes(t *testing.T) {
	handler := New(config.Config{}, store.New())
	tests := []struct { // in order: later rows see what earlier ones stored
		method, path, body string
		code               int
		want               string
	}{
		{"GET", "/healthz", "", 200, "ok"},
		{"GET", "/mode", "", 200, config.Mode},
		{"GET", "/hello?name=Ada", "", 200, greet.Hello("Ada")},
		{"GET", "/", "", 200, "No notes yet."},
		{"GET", "/static/style.css", "", 200, "body"},
		{"GET", "/notes", "", 200, "[]"},
		{"POST", "/notes", `{"title":"milk"}`, 201, `"id":1`},
		{"POST", "/notes", `{"text":"no title"}`, 400, "error"},
		{"POST", "/notes", `{`, 400, "error"},
		{"GET", "/notes/1", "", 200, "milk"},
		{"PUT", "/notes/1", `{"title":"eggs"}`, 200, "eggs"},
		{"PUT", "/notes/2", `{"title":"eggs"}`, 404, "no such note"},
		{"GET", "/notes/one", "", 400, "number"},
		{"GET", "/", "", 200, "eggs"},
		{"DELETE", "/notes/1", "", 204, ""},
		{"DELETE", "/notes/1", "", 404, "no such note"},
	}
	for _, test := range tests {
		name := test.method + " " + test.path
		request := httptest.NewRequest(test.method, test.path, strings.NewReader(test.body))
		response := httptest.NewRecorder()
		handler.ServeHTTP(response, request)
		if response.Code != test.code {
			t.Errorf("%s: %d %s, want %d", name, response.Code, http.StatusText(response.Code), test.code)
		}
		if !strings.Contains(response.Body.String(), test.want) {
			t.Errorf("%s: %q, want %q in it", name, response.Body.String(), test.want)
		}
	}
}
