package memory

import (
	"fmt"
	"testing"
	"time"

	"github.com/seed-1b7246af/coredns-ede/plugin/cause"
)

func TestAVerdictIsSharedOnceASecondQuestionHasIt(t *testing.T) {
	s := newVerdicts(manyEntries)
	if r := s.keep(timeout(), 0); r&own == 0 {
		t.Error("one that was seen once takes a place")
	}
	second := s.keep(timeout(), 0)
	if third := s.keep(timeout(), 0); second&own != 0 || third != second || s.load(second) != s.load(third) {
		t.Errorf("%x and %x", second, third)
	}
	if !s.says(second, timeout()) || s.says(second, said("x")) {
		t.Error("a shared verdict is not compared")
	}
}

func TestReasonsThatAStrangerMakesUpTakeNoPlaceAndDriveNoneOut(t *testing.T) {
	s := newVerdicts(manyEntries)
	s.keep(timeout(), 0)
	before := s.keep(timeout(), 0)
	for i := range 20 * maxShared {
		s.keep(said(fmt.Sprint("reason ", i)), 0)
	}
	if len(s.shared) != 1 {
		t.Errorf("%d places are taken", len(s.shared))
	}
	// Who asks twice gets places, and no more than there are.
	var last ref
	for i := range 3 * maxShared {
		s.keep(said(fmt.Sprint("reason ", i)), time.Minute)
		last = s.keep(said(fmt.Sprint("reason ", i)), time.Minute)
	}
	if len(s.shared) != maxShared || len(s.places) != maxShared || last&own == 0 {
		t.Errorf("%d places, %d known, the last at %x", len(s.shared), len(s.places), last)
	}
	if after := s.keep(timeout(), time.Minute); after != before || !s.says(after, timeout()) {
		t.Errorf("what many share was driven out: %x, before %x", after, before)
	}
	if v := s.load(last); v == nil || !alike(v, said(fmt.Sprint("reason ", 3*maxShared-1))) {
		t.Errorf("%+v", v)
	}
	// A place that nobody has used for longer than an entry lives is free.
	now := time.Minute + unusedFor + 1
	s.keep(said("later"), now)
	if r := s.keep(said("later"), now); r&own != 0 || len(s.shared) != maxShared || len(s.places) != maxShared || !alike(s.load(r), said("later")) {
		t.Errorf("%x, %d places, %d known", r, len(s.shared), len(s.places))
	}
}

func TestOwnTextsMakeRoomTheOldestFirst(t *testing.T) {
	s := newVerdicts(1) // two chunks
	var refs []ref
	text := func(i int) string { return fmt.Sprintf("reason %d", i) }
	for i := range 5000 {
		refs = append(refs, s.keep(said(text(i)), 0))
	}
	held := 0
	for i, r := range refs {
		v := s.load(r)
		switch {
		case v == nil && held > 0:
			t.Fatalf("%d is gone, an older one is held", i)
		case v == nil:
			if s.says(r, said(text(i))) {
				t.Errorf("%d is gone and says something", i)
			}
		case !alike(v, said(text(i))) || !s.says(r, said(text(i))) || s.says(r, said("x")):
			t.Fatalf("%d: %+v", i, v)
		default:
			held++
		}
	}
	if held == 0 || held == len(refs) || len(s.texts.chunks) != 2 {
		t.Errorf("%d of %d are held in %d chunks", held, len(refs), len(s.texts.chunks))
	}
}

func TestAQuestionWhoseTextMadeRoomIsForgotten(t *testing.T) {
	w := newWatch()
	m := New(1, w.now())
	k := key("www.example.org.")
	m.Note(k, said("first"), 1, w.now())
	for i := range 5000 {
		m.verdicts.keep(said(fmt.Sprint("reason ", i)), 0)
	}
	if _, _, ok := m.Recall(k, w.now()); ok {
		t.Error("recalled")
	}
	if _, ok := m.RecallCached(k, w.now()); ok {
		t.Error("recalled for a failure from cache")
	}
	m.Note(k, said("first"), 1, w.now())
	if v, _, ok := m.Recall(k, w.now()); !ok || !alike(v, said("first")) {
		t.Error("the next failure is not remembered")
	}
}

func TestAVerdictIsPackedWithinItsBoundOrNotAtAll(t *testing.T) {
	long := make([]byte, 3*maxPacked)
	for i := range long {
		long[i] = 'x'
	}
	v := timeout()
	v.Own = string(long)
	if packed, ok := pack(nil, v); ok || len(packed) > 0 {
		t.Errorf("%d octets", len(packed))
	}
	v = said("short")
	v.Statements = append(v.Statements, cause.Statement{Code: 1, Brief: string(long), Full: string(long)})
	packed, ok := pack(nil, v)
	if !ok || len(packed) > maxPacked || len(unpack(packed).Statements) != 2 {
		t.Errorf("%d octets, %v", len(packed), ok)
	}
	w := newWatch()
	m := New(1, w.now())
	v.Own = string(long)
	if m.Note(key("www.example.org."), v, 1, w.now()); m.Len() != 0 {
		t.Error("remembered without a verdict")
	}
}
