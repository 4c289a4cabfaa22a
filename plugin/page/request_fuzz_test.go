package page

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
)

// FuzzRequest lets a stranger write the request: method, path, query string,
// Host and all other headers.
func FuzzRequest(f *testing.F) {
	for _, target := range []string{
		"/", "/?hold", "/?hold=1&hold;x=%zz", "/incidents.json", "/cause/upstream_timeout", "/cause/%2e%2e/style.css", "/style.css?<script>",
		"//127.0.0.1/", "http://rebound.example.org/", "*", "/\x00",
	} {
		for _, host := range []string{"127.0.0.1:9163", "[::1]", "localhost.", "rebound.example.org", "127.1", "[::1%25lo]:80", "0::%]", "[0::%]]", ""} {
			f.Add([]byte("GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n"))
		}
	}
	f.Add([]byte("HEAD / HTTP/1.0\r\n\r\n"))
	f.Add([]byte("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\n\r\na=b"))
	h := outage().handler().(*handler)
	f.Fuzz(func(t *testing.T, octets []byte) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(octets)))
		if err != nil {
			return
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		for key, value := range header {
			if got := w.Header()[key]; len(got) != 1 || got[0] != value {
				t.Errorf("%s is %q", key, got)
			}
		}
		switch w.Code {
		case http.StatusOK:
			if r.Method != http.MethodGet && r.Method != http.MethodHead || !ownHost(r.Host) {
				t.Errorf("%s is answered to host %q", r.Method, r.Host)
			}
		case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusMisdirectedRequest:
			if body := w.Body.String(); len(body) > 80 || strings.Contains(body, r.URL.Path) && len(r.URL.Path) > 12 {
				t.Errorf("the request comes back: %q", body)
			}
		default:
			t.Errorf("status %d", w.Code)
		}
		// overview, overview held, json, and one a cause.
		if n := len(h.fresh.responses); n > 3+len(cause.All()) {
			t.Errorf("%d responses are kept", n)
		}
	})
}

// ownHost says of a Host header what accepts should, in another way.
func ownHost(host string) bool {
	if host == "" {
		return false
	}
	if addr, err := netip.ParseAddrPort(host); err == nil {
		return addr.IsValid()
	}
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return true
	}
	name = strings.TrimSuffix(strings.ToLower(strings.Trim(name, "[]")), ".")
	return name == "localhost" || name == "coredns-7f2"
}
