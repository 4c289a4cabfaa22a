// Package page is the live page: what fails, since when, and what to do about
// it, as HTML that works without scripts and as JSON, for operators without other
// monitoring. It knows the incident table and the catalog of causes, and nothing else.
//
// Much of what it shows was sent by strangers: query names by clients, texts by
// upstreams. The table makes it harmless text, html/template escapes it for its
// place, and the Content-Security-Policy allows no script at all.
package page

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/guard"
	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
)

// Options are what a page shows.
type Options struct {
	// Snapshot returns what is known now. It is called at most once a second for
	// each path.
	Snapshot func() *incident.Snapshot
	// Remarked returns the names whose answers did not fail and had an EDE, with the
	// number of answers. It is nil if these are not kept.
	Remarked func() []incident.Top
	// Now is the clock, time.Now if nil.
	Now func() time.Time
	// Host is the name of this machine or pod, Version that of ede.
	Host, Version string
	// Names are further host names under which the page may be asked for.
	Names []string
}

type handler struct {
	Options
	hosts map[string]bool
	fresh fresh
}

// New returns the page as a handler.
func New(o Options) http.Handler {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &handler{Options: o, hosts: hostNames(append([]string{o.Host}, o.Names...))}
}

// header is sent with every response. A page needs its own style and icon; the
// rest of the policy takes from markup that got through all it could do.
var header = map[string]string{
	"Content-Security-Policy":      "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
	"Referrer-Policy":              "no-referrer",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Cache-Control":                "no-store",
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The connection ends without an answer; net/http would end it, too, and tell nobody.
	defer guard.Catch(guard.Page, func() { panic(http.ErrAbortHandler) })
	for key, value := range header {
		w.Header().Set(key, value)
	}
	if !h.accepts(r.Host) {
		http.Error(w, "this page answers to IP addresses, localhost and its own name", http.StatusMisdirectedRequest)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "GET and HEAD only", http.StatusMethodNotAllowed)
		return
	}
	switch r.URL.Path {
	case "/":
		_, hold := r.URL.Query()["hold"]
		h.overview(w, hold)
	case "/incidents.json":
		h.serve(w, "application/json", "json", h.json)
	case "/style.css":
		write(w, "text/css; charset=utf-8", style)
	case "/icon.svg":
		write(w, "image/svg+xml", icon)
	default:
		name, ok := strings.CutPrefix(r.URL.Path, "/cause/")
		if !ok || !h.cause(w, name) {
			http.Error(w, "not found", http.StatusNotFound)
		}
	}
}

// serve writes what produce makes, or has made a moment ago.
func (h *handler) serve(w http.ResponseWriter, contentType, key string, produce func() ([]byte, error)) {
	body, err := h.fresh.get(key, h.Now, produce)
	if err != nil {
		http.Error(w, "the page cannot be written", http.StatusInternalServerError)
		return
	}
	write(w, contentType, body)
}

func write(w http.ResponseWriter, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	// A client that went away is no error of this server.
	_, _ = w.Write(body)
}
