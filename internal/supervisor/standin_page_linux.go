package supervisor

import (
	"bufio"
	"bytes"
	"fmt"
	"html"
	"net"
	"net/netip"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// This file is the pure half of the stand-in: who may read why the program is
// not there, and the page that says so. The reason has source lines and output
// in it, with whatever keys and passwords stand there.

// details is Options.Details.
type details string

const (
	detailsAll = "all"
	detailsOff = "off"
)

// retryAfter is the Retry-After header, in seconds.
const retryAfter = 1

// bareFact is what everybody may know.
const bareFact = "the program is not running; hr tells why on its own screen"

var headEnd = []byte("\r\n\r\n")

// allow says whether a client may read the reason: it speaks to this machine by
// a name that no other machine's page can have, from this machine, and nobody
// passed its request on. whole says that all of the head is there: what is not
// could be the header that tells.
func (d details) allow(request []byte, whole, local bool) bool {
	switch d {
	case detailsAll:
		return true
	case detailsOff:
		return false
	}
	if !whole || !local {
		return false
	}
	line, header, err := parseHead(request)
	if err != nil || len(header["Host"]) != 1 || !isLoopbackHost(header["Host"][0]) {
		return false
	}
	f := strings.Split(line, " ")
	// HTTP/1.0 is what nginx speaks to those behind it unless it is told
	// otherwise, and then it adds no header and says localhost.
	if len(f) != 3 || f[2] != "HTTP/1.1" {
		return false
	}
	if target := f[1]; !strings.HasPrefix(target, "/") && target != "*" {
		u, err := url.Parse(target)
		if err != nil || !isLoopbackHost(u.Host) {
			return false
		}
	}
	for name := range header {
		if passedOn(name) {
			return false
		}
	}
	return true
}

// parseHead splits the head of a request in its first line and its fields.
func parseHead(request []byte) (line string, header textproto.MIMEHeader, err error) {
	r := textproto.NewReader(bufio.NewReader(bytes.NewReader(request)))
	if line, err = r.ReadLine(); err != nil {
		return "", nil, err
	}
	header, err = r.ReadMIMEHeader()
	return line, header, err
}

// isLoopbackHost says whether a Host, with a port or without, means this
// machine wherever it is looked up. A name of DNS never does: a page of another
// site can have its name point here after it was loaded.
func isLoopbackHost(host string) bool {
	if name, port, err := net.SplitHostPort(host); err == nil {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return false
		}
		host = name
	} else if inner, ok := strings.CutPrefix(host, "["); ok {
		if host, ok = strings.CutSuffix(inner, "]"); !ok {
			return false
		}
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().IsLoopback()
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	return name == "localhost" || strings.HasSuffix(name, ".localhost") // RFC 6761
}

// What proxies, tunnels and content networks add, in lower case.
var (
	passedOnNames    = []string{"forwarded", "via", "client-ip", "true-client-ip", "cdn-loop", "proxy-connection"}
	passedOnPrefixes = []string{
		"x-forwarded", "x-real-ip", "x-client", "x-cluster-client", "x-original", "x-remote", "x-proxy", "x-envoy-", "x-amz", "x-azure-",
		"x-appengine-", "x-arr-", "x-vercel-", "cf-", "fastly-", "fly-", "ngrok-", "tailscale-",
	}
)

// passedOn says whether a header is of one that stands between us and the
// client.
func passedOn(name string) bool {
	name = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), "_", "-")
	return slices.Contains(passedOnNames, name) ||
		slices.ContainsFunc(passedOnPrefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// startsLikeHTTP recognises HTTP/1 by its method, which is all capitals.
func startsLikeHTTP(b []byte) bool {
	method, _, found := bytes.Cut(b[:min(len(b), 16)], []byte(" "))
	if len(method) == 0 || !found && len(b) >= 16 {
		return false
	}
	for _, c := range method {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return string(method) != "PRI" // HTTP/2 without upgrade
}

// downResponse writes the 503 in the form the client prefers, with the reason
// for who may read it.
func downResponse(request []byte, allowed bool, reason string) []byte {
	switch {
	case !allowed:
		reason = bareFact
	case reason == "":
		reason = "the program is not running"
	}
	kind, body := "text/plain; charset=utf-8", reason+"\n"
	_, header, _ := parseHead(request) // what there is of it
	if slices.ContainsFunc(header["Accept"], func(v string) bool { return strings.Contains(v, "text/html") }) {
		kind = "text/html; charset=utf-8"
		body = "<!doctype html><meta charset=utf-8><title>not running</title><style>body{font:16px/1.5 sans-serif;margin:3em}pre{overflow:auto}</style>" +
			"<h1>The program is not running</h1><pre>" + html.EscapeString(reason) + "</pre>\n"
	}
	head := fmt.Sprintf("HTTP/1.1 503 Service Unavailable\r\nContent-Type: %s\r\nContent-Length: %d\r\nX-Content-Type-Options: nosniff\r\n"+
		"Retry-After: %d\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n", kind, len(body), retryAfter)
	if bytes.HasPrefix(request, []byte("HEAD ")) {
		body = ""
	}
	return []byte(head + body)
}
