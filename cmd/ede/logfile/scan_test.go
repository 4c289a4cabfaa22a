package logfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/logline"
	"github.com/seed-1b7246af/coredns-ede/test/leak"
)

func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }

func queryOf(cause, name string) string {
	return "[INFO] plugin/ede: rcode=SERVFAIL cause=" + cause + " qname=" + name
}

func scanned(t *testing.T, src io.Reader) (names []string, lines uint64, bad [logline.NumMalformed]uint64) {
	t.Helper()
	err := Scan(t.Context(), src, logline.Parser{}, func(b *Block) {
		lines += b.Lines
		for i := range b.Records {
			names = append(names, string(b.Records[i].Get(logline.QName)))
		}
		for i, n := range b.Bad {
			bad[i] += n
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return names, lines, bad
}

func TestScanKeepsTheOrderAndEveryLineHoweverItIsRead(t *testing.T) {
	var log bytes.Buffer
	var want []string
	for i := range 20000 {
		name := fmt.Sprintf("n%d.example.org.", i)
		want = append(want, name)
		fmt.Fprintln(&log, queryOf("x", name))
	}
	log.Truncate(log.Len() - 1) // the last line has no end
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"all at once":      func(r io.Reader) io.Reader { return r },
		"in halves":        iotest.HalfReader,
		"data with an EOF": iotest.DataErrReader,
	} {
		t.Run(name, func(t *testing.T) {
			got, lines, _ := scanned(t, wrap(bytes.NewReader(log.Bytes())))
			if lines != 20000 || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%d lines, %d names", lines, len(got))
			}
		})
	}
	short := log.Bytes()[:2000]
	if got, _, _ := scanned(t, iotest.OneByteReader(bytes.NewReader(short))); len(got) < 10 || got[9] != want[9] {
		t.Errorf("byte by byte: %v", got)
	}
}

func TestALineBeyondTheLimitIsCountedAndReadOver(t *testing.T) {
	before, after := queryOf("x", "before.example.org."), queryOf("x", "after.example.org.")
	for name, tc := range map[string]struct {
		length  int
		tooLong uint64
	}{
		"just within":   {blockSize - 1, 0},
		"just beyond":   {blockSize, 1},
		"far beyond":    {5*blockSize + 17, 1},
		"twice exactly": {2 * blockSize, 1},
	} {
		t.Run(name, func(t *testing.T) {
			log := before + "\n" + strings.Repeat("a", tc.length) + "\n" + after
			names, lines, bad := scanned(t, strings.NewReader(log))
			if fmt.Sprint(names) != "[before.example.org. after.example.org.]" || lines != 3 || bad[logline.TooLong] != tc.tooLong {
				t.Errorf("names %v, %d lines, %d too long", names, lines, bad[logline.TooLong])
			}
		})
	}
}

func TestScanTellsAReadErrorAfterWhatItCouldRead(t *testing.T) {
	broken := errors.New("disk on fire")
	src := io.MultiReader(strings.NewReader(queryOf("x", "a.example.org.")), iotest.ErrReader(broken))
	n := 0
	err := Scan(t.Context(), src, logline.Parser{}, func(b *Block) { n += len(b.Records) })
	if !errors.Is(err, broken) || n != 1 {
		t.Errorf("%d records, error %v", n, err)
	}
}

func TestScanEndsWithItsContextThoughTheReaderHangs(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	hanging, w := io.Pipe()
	defer w.Close()
	go func() {
		io.WriteString(w, queryOf("x", "a.example.org.")+"\n")
		cancel()
	}()
	if err := Scan(ctx, hanging, logline.Parser{}, func(*Block) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
