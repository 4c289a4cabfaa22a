package test_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/net/html"

	"github.com/seed-1b7246af/coredns-ede/test/leak"
	"github.com/seed-1b7246af/coredns-ede/test/port"
	"github.com/seed-1b7246af/coredns-ede/test/server"
	"github.com/seed-1b7246af/coredns-ede/test/upstream"
)

// withPage is an ede directive with the page at addr.
func withPage(addr string, properties ...string) string {
	return "ede {\n page " + addr + "\n " + strings.Join(properties, "\n ") + "\n }"
}

var pageLine = regexp.MustCompile(`page at (http://\S+/)`)

// pageOf is the page's URL as the log of a server that has started says: the
// last one, as server.Start tries again where another socket has the port.
func pageOf(t *testing.T, logs *server.Logs) string {
	t.Helper()
	lines := logs.Matching("page at http://")
	if len(lines) == 0 {
		t.Fatal("the log has no page")
	}
	return pageLine.FindStringSubmatch(lines[len(lines)-1])[1]
}

// visit is what is got at url.
func visit(t *testing.T, url string) string {
	t.Helper()
	body, err := got(url)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// got is what is at url, over a connection of its own.
func got(url string) (string, error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	response, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, response.Status)
	}
	return string(body), err
}

// pageReport is what these tests read of the JSON.
type pageReport struct {
	Incidents []struct {
		Cause, Upstream, Beginning string
		Count                      uint64
	}
	Changes []struct{ Kind string }
	Recent  []map[string]any
}

// pageShows gets the report until it is as wanted: a response is up to a second
// old.
func pageShows(t *testing.T, url string, wanted func(pageReport) bool) pageReport {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		var r pageReport
		body := visit(t, url+"incidents.json")
		if err := json.Unmarshal([]byte(body), &r); err != nil {
			t.Fatal(err)
		}
		if wanted(r) {
			return r
		}
		if time.Now().After(deadline) {
			t.Fatalf("the page says %s", body)
		}
		<-tick.C
	}
}

func hasRecent(n int) func(pageReport) bool {
	return func(r pageReport) bool { return len(r.Recent) == n }
}

func listening(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

func TestThePageShowsWhatFails(t *testing.T) {
	leak.Check(t)
	logs := server.Capture(t)
	up := upstream.Closed(t)
	s := server.Start(t, here(".:0", withPage("127.0.0.1:0", "log client prefix"), forward(up, patiently)))
	url := pageOf(t, logs)
	ask(t, briefClient, "udp", s.UDP(), query("www.example.org"))
	r := pageShows(t, url, hasRecent(1))
	if in := r.Incidents[0]; in.Cause != "upstream_unreachable" || in.Upstream != up || in.Count != 1 || in.Beginning != "" {
		t.Errorf("incident %+v", in)
	}
	failure := r.Recent[0]
	if failure["qname"] != "www.example.org." || failure["client_ip"] != "127.0.0.0/24" || len(failure["evidence"].([]any)) < 2 || failure["advice"] == nil {
		t.Errorf("failure %v", failure)
	}
	if body := visit(t, url+"?hold"); !strings.Contains(body, "www.example.org.") || !strings.Contains(body, "1 incident is active") {
		t.Error("the failure is not on the page")
	}
	if body := visit(t, url+"cause/upstream_unreachable"); !strings.Contains(body, "Nothing listens at") {
		t.Error("the cause is not explained")
	}
}

func TestHostileNamesAndTextsAreTextOnThePage(t *testing.T) {
	logs := server.Capture(t)
	hostile := "<script>document.title='pwned'</script>\u202e\"><img src=/pwned onerror=x>\r\n\x1b[31m"
	up := upstream.Start(t, upstream.Config{Handler: upstream.RawEDE(6, []byte(hostile))})
	s := server.Start(t, here(".:0", withPage("127.0.0.1:0"), forward(up.Addr())))
	url := pageOf(t, logs)
	m := new(dns.Msg).SetQuestion(`<script>alert(1)</script>\"\027\226\128\174.example.org.`, dns.TypeA)
	m.SetEdns0(1232, false)
	m.AuthenticatedData = true
	ask(t, briefClient, "udp", s.UDP(), m)
	pageShows(t, url, hasRecent(1))
	body := visit(t, url)
	if !strings.Contains(body, `&lt;script&gt;alert\(1\)`) || !strings.Contains(body, "&lt;script&gt;document.title=") {
		t.Error("name and text are not on the page")
	}
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && (n.Data == "script" || n.Data == "img") {
			t.Errorf("element %s", n.Data)
		}
	}
	if strings.ContainsAny(body, "\u202e\x1b\r") {
		t.Error("control characters came through")
	}
}

func TestOnePageServesAllServerBlocks(t *testing.T) {
	logs := server.Capture(t)
	addr := port.Free(t)
	s := server.Start(t, here("example.org:0", withPage(addr), "fault returned SERVFAIL")+
		here("example.net:0", withPage(addr), "fault returned REFUSED")+here("example.com:0", "ede", "fault returned SERVFAIL"))
	for _, zone := range []string{"example.org.", "example.net.", "example.com."} {
		ask(t, briefClient, "udp", s.UDP(zone), query("www."+zone))
	}
	pageShows(t, "http://"+addr+"/", hasRecent(3))
	if lines := logs.Matching("page at http://"); len(lines) != 1 {
		t.Errorf("%q", lines)
	}
}

func TestThePageIsHandedOverOnReload(t *testing.T) {
	leak.Check(t)
	server.Capture(t)
	addr := port.Free(t)
	block := here(".:0", withPage(addr), "fault returned SERVFAIL")
	s := server.Start(t, block)
	url := "http://" + addr + "/"
	ask(t, briefClient, "udp", s.UDP("."), query("before.example.org"))
	pageShows(t, url, hasRecent(1))

	if err := s.Reload(block + here("example.net:0", "whoami")); err != nil {
		t.Fatal(err)
	}
	ask(t, briefClient, "udp", s.UDP("."), query("after.example.org"))
	r := pageShows(t, url, hasRecent(2))
	if len(r.Changes) != 2 || r.Changes[0].Kind != "reload" || r.Changes[1].Kind != "start" {
		t.Errorf("changes %v", r.Changes)
	}
	if r.Incidents[0].Count != 2 {
		t.Errorf("the incident counts %d", r.Incidents[0].Count)
	}

	if err := s.Reload(block + "broken {\n"); err == nil {
		t.Fatal("a broken Corefile was loaded")
	}
	pageShows(t, url, hasRecent(2))

	if err := s.Reload(here(".:0", "ede", "fault returned SERVFAIL")); err != nil {
		t.Fatal(err)
	}
	if listening(addr) {
		t.Error("the page is still there after it was taken out")
	}
}

func TestAPageThatCannotListenStopsTheStart(t *testing.T) {
	server.Capture(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s, err := server.Try(here(".:0", withPage(l.Addr().String()), "whoami"))
	if err == nil {
		_ = s.Stop()
		t.Fatal("two listen on one port")
	}
	if !strings.Contains(err.Error(), "plugin/ede: Corefile:4 - page: listen tcp "+l.Addr().String()) {
		t.Errorf("the error is %v", err)
	}
}

func TestAReloadToAPageThatCannotListenLeavesTheOldOne(t *testing.T) {
	server.Capture(t)
	addr := port.Free(t)
	s := server.Start(t, here(".:0", withPage(addr), "fault returned SERVFAIL"))
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if err := s.Reload(here(".:0", withPage(taken.Addr().String()), "whoami")); err == nil {
		t.Fatal("two listen on one port")
	}
	ask(t, briefClient, "udp", s.UDP("."), query("www.example.org"))
	pageShows(t, "http://"+addr+"/", hasRecent(1))
}

func TestThereIsNoPageUnlessItIsNamed(t *testing.T) {
	logs := server.Capture(t)
	server.Start(t, here(".:0", "ede", "whoami"))
	if lines := logs.Matching("page at"); len(lines) != 0 {
		t.Errorf("%q", lines)
	}
}
