package cause

import (
	"strings"
	"testing"
	"time"

	ev "github.com/seed-1b7246af/coredns-ede/plugin/evidence"
)

func TestWhereADiagnosisLooksNobodyIsToldToSwitchItOn(t *testing.T) {
	e := answered("forward", servfail)
	v := Classify(&e)
	if !strings.Contains(v.Advice, "diagnose") {
		t.Fatalf("without diagnose the advice is %q", v.Advice)
	}
	in := v.InDiagnosis()
	if strings.Contains(in.Advice, "diagnose") || in.Advice == "" || !strings.Contains(v.Advice, "diagnose") {
		t.Errorf("with diagnose the advice is %q, without %q", in.Advice, v.Advice)
	}
}

func TestNotReadyWithRefusedLasts(t *testing.T) {
	for rcode, want := range map[int]Lasts{servfail: Transient, refused: Persistent} {
		e := answered("forward", rcode, 14)
		if v := Classify(&e); v.Lasts != want || v.Advice != v.Cause.AdviceOn([]uint16{14}, rcode) {
			t.Errorf("14 with %s is %s, %q", rcodeName(rcode), v.Lasts, v.Advice)
		}
	}
}

func TestAFailureOutOfTheCacheCountsUnderTheZoneThatWasFound(t *testing.T) {
	e := answered("forward", servfail)
	found := Diagnosed(Classify(&e), "dnssec_bogus", nil, "", "", "sub.corp.")
	if got := found.FromMemory(time.Now()).WithTrace(nil).FoundZone(); got != "sub.corp." {
		t.Errorf("from cache it counts under %q", got)
	}
	if got := Classify(&e).FoundZone(); got != "" {
		t.Errorf("nothing was found, and it counts under %q", got)
	}
}

func TestATruncatedFailureIsNotSaidToGiveNoReason(t *testing.T) {
	for _, rcode := range []int{servfail, refused} {
		e := answered("forward", rcode)
		e.Reply.Truncated = true
		v := Classify(&e)
		for _, text := range []string{v.Statements[0].Brief, v.Statements[0].Full} {
			if strings.Contains(text, "without a reason") || !strings.Contains(text, "truncated") {
				t.Errorf("the text is %q", text)
			}
		}
		if !strings.Contains(v.Advice, "TCP") {
			t.Errorf("the advice is %q", v.Advice)
		}
	}
}

func TestAComplaintMakesAFailurePersistentAfterAMinute(t *testing.T) {
	for _, plugin := range []string{"secondary", "kubernetes"} {
		for lasted, want := range map[time.Duration]Lasts{settled - 1: Transient, settled: Persistent} {
			e := ev.Evidence{
				Rcode: servfail, At: plugin, Path: []string{plugin}, Returned: true,
				Overheard: ev.Overheard{Text: "Failed to transfer", Reason: ev.Silent, Lasted: lasted},
			}
			if plugin == "secondary" {
				e.Zone = ev.Zone{Name: "example.org.", State: ev.ZoneNotLoaded}
			} else {
				e.Returned, e.Reply.Written = false, true
			}
			v := Classify(&e)
			if v.Lasts != want || strings.Contains(v.Advice, "zone file") || !strings.Contains(v.Text(), "Failed to transfer") {
				t.Errorf("%s, after %s: %s %s, advice %q, text %q", plugin, lasted, v.Cause.ID, v.Lasts, v.Advice, v.Text())
			}
		}
	}
}
