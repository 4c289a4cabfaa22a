package page

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/plugin/incident"
)

func request(h http.Handler, method, host, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.Host = host
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func get(h http.Handler, path string) *httptest.ResponseRecorder {
	return request(h, http.MethodGet, "127.0.0.1:9163", path)
}

func TestEveryPathHasItsTypeAndEveryResponseItsHeaders(t *testing.T) {
	h := outage().handler()
	for path, want := range map[string]struct {
		status      int
		contentType string
	}{
		"/":                        {200, "text/html; charset=utf-8"},
		"/?hold":                   {200, "text/html; charset=utf-8"},
		"/incidents.json":          {200, "application/json"},
		"/style.css":               {200, "text/css; charset=utf-8"},
		"/icon.svg":                {200, "image/svg+xml"},
		"/cause/upstream_timeout":  {200, "text/html; charset=utf-8"},
		"/cause/no_such_cause":     {404, "text/plain; charset=utf-8"},
		"/cause/":                  {404, "text/plain; charset=utf-8"},
		"/cause/../style.css":      {404, "text/plain; charset=utf-8"},
		"/assets/page.html":        {404, "text/plain; charset=utf-8"},
		"/debug/pprof/":            {404, "text/plain; charset=utf-8"},
		"//style.css":              {404, "text/plain; charset=utf-8"},
		"/%3Cscript%3Ealert(1)%3C": {404, "text/plain; charset=utf-8"},
	} {
		t.Run(path, func(t *testing.T) {
			w := get(h, path)
			if w.Code != want.status || w.Header().Get("Content-Type") != want.contentType {
				t.Errorf("%d %s, want %d %s", w.Code, w.Header().Get("Content-Type"), want.status, want.contentType)
			}
			if strings.Contains(w.Body.String(), "<script") {
				t.Error("a script came back")
			}
			for key, value := range header {
				if got := w.Header().Get(key); got != value {
					t.Errorf("%s is %q, want %q", key, got, value)
				}
			}
			if w.Header().Get("Set-Cookie") != "" {
				t.Error("a cookie is set")
			}
		})
	}
}

func TestACardTellsTheCodeThatItsCauseLeavesOpen(t *testing.T) {
	s := newStage()
	s.fail(query{cause: "upstream_ede", code: 22, name: "host.internal.", at: "forward", upstream: "192.0.2.54:53"})
	body := get(s.handler(), "/").Body.String()
	if !strings.Contains(body, `<span class="minor">said first</span> 22 No Reachable Authority</span>`) {
		t.Errorf("no code in the card:\n%s", body)
	}
	if strings.Contains(body, `, <bdi class="wrap">.</bdi>, since`) {
		t.Error("the root is named as the zone that fails")
	}

	s = newStage()
	s.fail(background[2])
	if strings.Contains(get(s.handler(), "/").Body.String(), "said first") {
		t.Error("a code is said of a cause that has only one")
	}
}

func TestThePolicyAllowsNoScriptAndNoOtherOrigin(t *testing.T) {
	for directive := range strings.SplitSeq(header["Content-Security-Policy"], "; ") {
		name, sources, _ := strings.Cut(directive, " ")
		if strings.HasPrefix(name, "script") || sources != "'none'" && sources != "'self'" {
			t.Errorf("the policy says %q", directive)
		}
	}
	if !strings.Contains(header["Content-Security-Policy"], "default-src 'none'") {
		t.Error("what the policy does not name is allowed")
	}
}

func TestOnlyGETAndHEADAreAnswered(t *testing.T) {
	h := empty().handler()
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "PROPFIND"} {
		w := request(h, method, "127.0.0.1", "/")
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d, Allow %q", method, w.Code, w.Header().Get("Allow"))
		}
	}
	if w := request(h, http.MethodHead, "127.0.0.1", "/"); w.Code != http.StatusOK {
		t.Errorf("HEAD: %d", w.Code)
	}
}

func TestANameOfAnotherSiteIsNotAnswered(t *testing.T) {
	s := empty()
	h := New(Options{Snapshot: s.table.Snapshot, Host: "coredns-7f2", Names: []string{"", "ns1.example.net"}})
	for host, want := range map[string]int{
		"127.0.0.1": 200, "127.0.0.1:9163": 200, "[::1]:9163": 200, "[::1]": 200, "192.0.2.7:80": 200, "localhost:9163": 200,
		"LOCALHOST": 200, "coredns-7f2:9163": 200, "ns1.example.net": 200, "ns1.example.net.": 200,
		"rebound.example.org": 421, "rebound.example.org:9163": 421, "127.0.0.1.example.org": 421, "localhost.example.org": 421,
		"": 421, ":9163": 421, "<script>": 421, "0::%]": 421, "[::1": 421, "[0::%]]": 421, "[": 421, "[]": 421,
	} {
		if w := request(h, http.MethodGet, host, "/"); w.Code != want {
			t.Errorf("Host %q: %d, want %d", host, w.Code, want)
		}
	}
}

func TestThePageReloadsItselfUnlessItIsHeld(t *testing.T) {
	h := empty().handler()
	const refresh = `<meta http-equiv="refresh" content="15">`
	if !strings.Contains(get(h, "/").Body.String(), refresh) {
		t.Error("no refresh")
	}
	if strings.Contains(get(h, "/?hold").Body.String(), "http-equiv") {
		t.Error("a held page reloads")
	}
}

func TestAnOutageIsOnThePageWithWhatChangedNextToItsBeginning(t *testing.T) {
	body := get(outage().handler(), "/").Body.String()
	for _, want := range []string{
		"incident is active", "upstream 192.0.2.53:53 went down 4 s after it began", `href="/cause/upstream_timeout"`,
		"began 12 s after reload", "error of kind timeout", "configuration reloaded", html.EscapeString(cause.ByID("upstream_timeout").Advice),
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if n := strings.Count(body, `<details class="failure">`); n != 200 {
		t.Errorf("%d failures, want 200", n)
	}
}

func TestMoreIncidentsThanAreDrawnAreCounted(t *testing.T) {
	s := newStage()
	for i := range maxCards + 7 {
		s.fail(query{cause: "upstream_timeout", name: "www.example" + string(rune('a'+i%26)) + string(rune('a'+i/26)) + ".org.", at: "forward"})
	}
	body := get(s.handler(), "/").Body.String()
	if n := strings.Count(body, "<article"); n != maxCards {
		t.Errorf("%d cards, want %d", n, maxCards)
	}
	if !strings.Contains(body, "7 more are in the") {
		t.Error("the rest is not counted")
	}
}

func TestEveryCauseHasItsExplanation(t *testing.T) {
	h := empty().handler()
	for _, c := range cause.All() {
		w := get(h, "/cause/"+c.ID)
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "<code>"+c.ID+"</code>") {
			t.Errorf("%s: %d", c.ID, w.Code)
		}
	}
}

func TestTheJSONIsWhatThePageShows(t *testing.T) {
	s := outage()
	var r report
	if err := json.Unmarshal(get(s.handler(), "/incidents.json").Body.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	shown := s.table.Snapshot()
	if r.Host != "coredns-7f2" || len(r.Recent) != 200 || len(r.Incidents) != len(shown.Open) || r.Failures != shown.Failures {
		t.Errorf("%d recent, %d incidents, %d failures", len(r.Recent), len(r.Incidents), r.Failures)
	}
	in := r.Incidents[0]
	if in.Cause != "upstream_timeout" || in.Code != 23 || in.Beginning == "" || in.Count == 0 || !in.LastGood.IsZero() {
		t.Errorf("%+v", in)
	}
	for _, c := range r.Rates.Causes {
		if len(c.Counts) != incident.RateBuckets {
			t.Errorf("%s has %d buckets", c.Cause, len(c.Counts))
		}
	}
}

func TestAnEmptyReportHasListsAndNoNulls(t *testing.T) {
	if body := get(empty().handler(), "/incidents.json").Body.String(); strings.Contains(body, "null") {
		t.Error(body)
	}
}

func TestTheStateIsOneWordAndOneSentence(t *testing.T) {
	now := opening
	ago := func(d time.Duration) incident.Incident { return incident.Incident{Last: now.Add(-d)} }
	refusal := incident.Incident{ID: incident.ID{Cause: "acl_block"}, Last: now}
	for name, tc := range map[string]struct {
		open            []incident.Incident
		lastHour        uint64
		state, headline string
	}{
		"nothing":            {nil, 0, "calm", "Nothing has failed"},
		"all over":           {nil, 7, "calm", "All incidents are over"},
		"one active":         {[]incident.Incident{ago(time.Second), ago(2 * time.Minute)}, 7, "failing", "1 incident is active"},
		"two active":         {[]incident.Incident{ago(0), ago(59 * time.Second)}, 7, "failing", "2 incidents are active"},
		"open without a new": {[]incident.Incident{ago(2 * time.Minute)}, 7, "quiet", "Nothing has failed for 2 min"},
		"the later of two":   {[]incident.Incident{ago(3 * time.Minute), ago(2 * time.Minute)}, 7, "quiet", "Nothing has failed for 2 min"},
		"refusals alone":     {[]incident.Incident{refusal}, 7, "calm", "Nothing is broken: queries are refused by policy"},
		"refusals and more":  {[]incident.Incident{refusal, ago(0)}, 7, "failing", "1 incident is active"},
	} {
		if state, headline := stateOf(&incident.Snapshot{Now: now, Open: tc.open}, tc.lastHour); state != tc.state || headline != tc.headline {
			t.Errorf("%s: %s, %q", name, state, headline)
		}
	}
}

func TestRefusalsByPolicyComeBelowWhatIsBrokenAndAreNotRed(t *testing.T) {
	s := newStage()
	for range 9 {
		s.fail(query{cause: "acl_block", name: "printer.example.net.", at: "acl", rcode: dns.RcodeRefused})
	}
	s.fail(query{cause: "upstream_timeout", name: "www.example.org.", at: "forward"})
	body := get(s.handler(), "/").Body.String()
	broken, refused := strings.Index(body, `card failing`), strings.Index(body, `card policy`)
	if broken < 0 || refused < broken || strings.Contains(body[refused:], "card failing") {
		t.Errorf("what is broken stands at %d, refusals at %d", broken, refused)
	}
	if chart := strings.Index(body, `id="chart"`); chart < broken {
		t.Errorf("the chart stands at %d, above what is broken at %d", chart, broken)
	}
	for _, one := range chartOf(s.table.Snapshot()).Series {
		if one.Cause == "acl_block" && one.Class == "c0" {
			t.Error("a refusal by policy is drawn in red")
		}
	}
}

func TestANameThatFailedOnceCountsOne(t *testing.T) {
	s := newStage()
	for i := range 300 {
		s.fail(query{cause: "upstream_timeout", name: fmt.Sprintf("n%d.example.org.", i), at: "forward"})
	}
	var r report
	if err := json.Unmarshal(get(s.handler(), "/incidents.json").Body.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Names) == 0 {
		t.Fatal("no names")
	}
	for _, n := range r.Names {
		if n.Count != 1 {
			t.Errorf("%s counts %d", n.Name, n.Count)
		}
	}
}

func TestAResponseIsMadeAtMostOnceASecond(t *testing.T) {
	s, made := empty(), 0
	h := New(Options{Host: "coredns-7f2", Now: func() time.Time { return s.now }, Snapshot: func() *incident.Snapshot {
		made++
		return s.table.Snapshot()
	}})
	for range 50 {
		for _, path := range []string{"/", "/?hold", "/incidents.json", "/cause/panic", "/cause/unknown?x", "/?hold&hold=2"} {
			get(h, path)
		}
	}
	if made != 5 {
		t.Errorf("%d were made, want 5", made)
	}
	s.fail(background[0])
	s.wait(freshFor)
	if !strings.Contains(get(h, "/").Body.String(), "1 incident is active") {
		t.Error("the page is old")
	}
}

func BenchmarkPage(b *testing.B) {
	s := outage()
	h := s.handler()
	b.ReportAllocs()
	for b.Loop() {
		s.now = s.now.Add(freshFor)
		get(h, "/")
	}
}

func TestAnIncidentWhoseNamesFailForAnotherCauseByNowIsNotSaidToGoOn(t *testing.T) {
	s := newStage()
	s.fail(query{cause: "upstream_servfail", name: "www.example.org.", at: "forward"})
	s.fail(query{cause: "dnssec_bogus", name: "www.example.org.", at: "forward"})
	for _, over := range []bool{false, true} {
		snapshot := s.table.Snapshot()
		if _, headline := stateOf(snapshot, 2); headline != "1 incident is active" && !over {
			t.Error(headline)
		}
		list := snapshot.Open
		if over {
			list = snapshot.Ended
		}
		cards, _ := cardsOf(snapshot, list)
		i := slices.IndexFunc(cards, func(c card) bool { return c.Cause == "upstream_servfail" })
		if i < 0 || cards[i].Over != over || cards[i].State != "cause changed" {
			t.Errorf("over %v: %+v", over, cards)
		}
		s.wait(5 * time.Minute)
	}
}
