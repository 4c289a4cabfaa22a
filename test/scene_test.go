package test_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
	"github.com/seed-1b7246af/coredns-ede/test/server"
)

// scene is one way for a query to fail on a running server, and what is to be
// seen of it.
type scene struct {
	name  string
	cause string
	// stage starts what the server needs and returns it.
	stage func(t *testing.T) stage
	// network is udp if empty; message is an A query for name if nil.
	network string
	message func(name string) *dns.Msg
	// under is the zone that the query is made for, example.org. if empty.
	under string

	rcode string
	// brief and full are the EDEs for two clients, "23 no reply"; … stands for
	// anything, {up} for the upstream.
	brief, full []string
	// at is the plugin that fails, log what else its line says.
	at  string
	log line
}

// stage is a server block: the plugins below ede, and the upstream that the
// log has to name.
type stage struct {
	plugins  string
	upstream string
	// port is the listener's, 0 if empty.
	port string
	// after stands behind the block.
	after string
	// ready is called before the first query.
	ready func(t *testing.T, s *server.Server)
}

// here returns a server block on loopback with these plugins.
func here(key string, plugins ...string) string {
	return key + " {\n bind 127.0.0.1\n " + strings.Join(plugins, "\n ") + "\n}\n"
}

func (sc scene) play(t *testing.T, logs *server.Logs, number int) {
	st := sc.stage(t)
	needs(t, st.plugins)
	if st.port == "" {
		st.port = "0"
	}
	s := server.Start(t, here(".:"+st.port, levels, st.plugins)+st.after)
	if st.ready != nil {
		st.ready(t, s)
	}
	addr, network := s.UDP("."), sc.network
	if network == "" {
		network = "udp"
	} else {
		addr = s.TCP(".")
	}
	for client, edes := range map[string][]string{briefClient: sc.brief, fullClient: sc.full} {
		m := sc.query(number)
		for i := range edes {
			edes[i] = strings.ReplaceAll(edes[i], "{up}", st.upstream)
		}
		expect(t, ask(t, client, network, addr, m), sc.rcode, edes...)
		l, sent := failureOf(t, logs, m), "true"
		if m.IsEdns0() == nil {
			sent = "no_edns"
		}
		expectFields(t, l, line{
			"rcode": sc.rcode, "cause": sc.cause, "at": sc.at, "upstream": st.upstream,
			"client_ip": client, "protocol": network, "sent": sent, "cached": "false",
		})
		expectFields(t, l, sc.log)
	}
}

// needs skips the test if this CoreDNS lacks one of the plugins.
func needs(t *testing.T, plugins string) {
	t.Helper()
	for _, name := range server.Missing {
		if strings.Contains("\n"+plugins, "\n"+name+" ") {
			t.Skipf("this CoreDNS has no plugin %s", name)
		}
	}
}

// query makes a question of its own for each scene: what fails is remembered by
// question, in one process for all servers here.
func (sc scene) query(number int) *dns.Msg {
	under := sc.under
	if under == "" {
		under = "example.org."
	}
	name := fmt.Sprintf("scene%d.%s", number, under)
	if strings.HasPrefix(under, "=") {
		name = under[1:]
	}
	if sc.message != nil {
		return sc.message(name)
	}
	return query(name)
}

// asked returns a query of another type.
func asked(qtype uint16) func(string) *dns.Msg {
	return func(name string) *dns.Msg { return server.Message(name, qtype, server.EDNS()) }
}

var scenes = [][]scene{exchangeScenes, answerScenes, zoneScenes, policyScenes, faultScenes}

// unreached are the causes that these tests cannot bring about.
var unreached = map[string]string{
	"zone_unusable":                  "TestTheZoneOfACloudProviderThatDoesNotAnswerIsTold",
	"backend_error":                  "TestWhatEtcdAnswersIsToldFromAnEtcdThatIsGone",
	"upstream_refused_not_recursive": "found by diagnosis",
	"cached_failure":                 "TestACachedFailureWithoutMemorySaysSo",
	"no_healthy_upstream":            "TestAllUpstreamsDownIsTold",
	"out_of_sockets":                 "TestAServerOutOfSocketsSaysSo",
	"concurrency_limit":              "TestOverloadIsRefusedAndTold",
	"panic":                          "TestAPanicIsRecordedAndLeftToTheServerCore",
	"forward_loop":                   "TestALoopIsProvenBeforeItIsTold",
}

func TestEveryCauseOfARunningServer(t *testing.T) {
	logs := server.Capture(t)
	for number, sc := range slices.Concat(scenes...) {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			sc.play(t, logs, number)
		})
	}
}

func TestTheCatalogIsCovered(t *testing.T) {
	covered := make(map[string]bool)
	for _, sc := range slices.Concat(scenes...) {
		if cause.ByID(sc.cause) == nil {
			t.Errorf("scene %q has the cause %q, which the catalog lacks", sc.name, sc.cause)
		}
		covered[sc.cause] = true
	}
	for _, g := range cause.Groups {
		if strings.Contains(g.Title, ", found by ") {
			continue
		}
		for _, c := range g.Causes {
			if !covered[c.ID] && unreached[c.ID] == "" {
				t.Errorf("no scene for %s, and no reason why not", c.ID)
			}
			if covered[c.ID] && unreached[c.ID] != "" {
				t.Errorf("%s is reached by a scene and listed as unreached", c.ID)
			}
		}
	}
	for id := range unreached {
		if cause.ByID(id) == nil {
			t.Errorf("%s is listed as unreached and is in no catalog", id)
		}
	}
}
