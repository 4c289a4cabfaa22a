package page

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
	"golang.org/x/net/html"
)

// hostile are texts that a client or an upstream may send in the hope that
// somebody looks at them with a browser.
var hostile = []string{
	`<script>document.title='pwned'</script>`,
	`<img src=/pwned onerror="document.title='pwned'">`,
	`"><svg onload=document.title='pwned'>`,
	`'><iframe src="/pwned"></iframe>`,
	`</bdi></main><meta http-equiv="refresh" content="0;url=/pwned">`,
	`<style>@import "/pwned";</style><link rel=stylesheet href=/pwned>`,
	`javascript:document.title='pwned'`,
	`{{.Host}}<base href="/pwned/">`,
	"\u202egnp.exe\u2066\nnext line\r\n\r\nSet-Cookie: a=b\x00\x1b]0;pwned\a",
	`&lt;script&gt;&#60;script&#62;<!--`,
	"\xff\xfe<script>\xc0\xaf",
	strings.Repeat("<b>", 500),
}

// attacked is a stage on which every text came from an attacker.
func attacked() *stage {
	s := newStage()
	for _, text := range hostile {
		s.fail(query{cause: "upstream_ede", name: text + ".example.org.", at: text, upstream: text, text: text, err: text, trace: []string{text}})
		s.fail(query{cause: "upstream_ede", name: dns.Fqdn(text), at: "forward", upstream: text, down: true, rcode: dns.RcodeRefused})
	}
	return s
}

// allowed are the elements of the page's own markup.
var allowed = strings.Fields(`html head meta title link body a header p span strong bdi time main section h1 h2 h3 dl dt dd div
	figure svg path g rect table caption thead tbody tr th td article ol li details summary b footer code pre`)

func TestHostileTextsAddNoElementAndNoAttribute(t *testing.T) {
	h := attacked().handler()
	for _, path := range []string{"/", "/?hold", "/cause/upstream_ede"} {
		body := get(h, path).Body.String()
		root, err := html.Parse(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		metas := 0
		for n := range root.Descendants() {
			if n.Type == html.CommentNode {
				t.Errorf("%s: a comment: %.80s", path, n.Data)
			}
			if n.Type != html.ElementNode {
				continue
			}
			if n.Data == "meta" {
				metas++
			}
			if !slices.Contains(allowed, n.Data) {
				t.Errorf("%s: element %s", path, n.Data)
			}
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" || strings.Contains(a.Val, "pwned") {
					t.Errorf("%s: attribute %s=%.80q on %s", path, a.Key, a.Val, n.Data)
				}
			}
		}
		if metas > 5 {
			t.Errorf("%s: %d meta elements", path, metas)
		}
		if strings.ContainsAny(body, "\u202e\u2066\x00\x1b") {
			t.Errorf("%s: invisible characters came through", path)
		}
	}
	if body := get(h, "/incidents.json").Body.String(); strings.ContainsAny(body, "<>\u202e\x1b") {
		t.Error("the JSON has characters that markup is made of")
	}
}

func TestABrowserDoesNothingWithHostileTexts(t *testing.T) {
	h := attacked().handler()
	var mu sync.Mutex
	asked := make(map[string]int)
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked[r.URL.Path]++
		mu.Unlock()
		h.ServeHTTP(w, r)
	}))
	dom := string(chromium(t, "--virtual-time-budget=3000", "--dump-dom", url+"/?hold"))
	if !strings.Contains(dom, "ede on coredns-7f2</title>") {
		t.Errorf("the title is another one: %.300s", dom)
	}
	if !strings.Contains(dom, "&lt;script&gt;document.title='pwned'&lt;/script&gt;") {
		t.Error("the hostile name is not on the page as text")
	}
	root, err := html.Parse(strings.NewReader(dom))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && !slices.Contains(allowed, n.Data) {
			t.Errorf("the browser made an element %s", n.Data)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for path := range asked {
		if path != "/" && path != "/style.css" && path != "/icon.svg" {
			t.Errorf("the browser asked for %s", path)
		}
	}
	if asked["/style.css"] == 0 {
		t.Error("the browser did not load the style sheet: the policy forbids too much")
	}
}

func FuzzThePageEscapesEveryText(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := newStage()
		s.fail(query{cause: "upstream_ede", name: text, at: text, upstream: text, text: text, err: text, trace: []string{text}, down: true})
		root, err := html.Parse(strings.NewReader(get(s.handler(), "/").Body.String()))
		if err != nil {
			t.Fatal(err)
		}
		for n := range root.Descendants() {
			if n.Type == html.CommentNode || n.Type == html.ElementNode && !slices.Contains(allowed, n.Data) {
				t.Fatalf("%q made %s", text, n.Data)
			}
		}
	})
}
