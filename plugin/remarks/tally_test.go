package remarks

import (
	"fmt"
	"testing"

	"github.com/seed-1b7246af/coredns-ede/plugin/option"
)

func TestTheMostFrequentRemarksAreCountedInBoundedMemory(t *testing.T) {
	tally := NewTally()
	blocked := []option.Option{{Code: 15}}
	for n := range 5 * maxTallied {
		tally.Add("ads.example.org.", blocked)
		tally.Add(fmt.Sprintf("host%d.example.org.", n), blocked)
	}
	if len(tally.counts) > maxTallied || len(tally.places) > maxTallied {
		t.Errorf("%d names are held, want at most %d", len(tally.counts), maxTallied)
	}
	top := tally.Top()
	if len(top) != maxShown || top[0].Name != "ads.example.org. 15 Blocked" || top[0].Count != 5*maxTallied || top[0].Over != 0 {
		t.Errorf("%d are shown, the first is %+v", len(top), top[0])
	}
	var none *Tally
	none.Add("ads.example.org.", blocked)
	if none.Top() != nil {
		t.Error("no tally counts")
	}
}
