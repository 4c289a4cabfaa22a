package logfile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-1b7246af/coredns-ede/cmd/ede/logline"
)

const record = `{"time":"2026-11-20T14:02:11Z","level":"INFO","msg":"failure","plugin":"ede","rcode":"SERVFAIL","cause":"x","qname":"n%d.example.org."}`

// What a store answers as one document has its records read one by one, however it
// is laid out; what is a record a line stays so.
func TestTheAnswerOfAStoreAsOneDocumentIsReadRecordByRecord(t *testing.T) {
	a, b := fmt.Sprintf(record, 1), fmt.Sprintf(record, 2)
	quoted := func(s string) string { return strings.ReplaceAll(s, `"`, `\"`) }
	elastic := `{"took":3,"timed_out":false,"_shards":{"total":1},"hits":{"total":{"value":2},"hits":[{"_index":"x","_source":` + a + `},{"_index":"x","_source":` + b + `}]}}`
	for name, text := range map[string]string{
		"hits of Elasticsearch": elastic,
		"hits, laid out":        strings.ReplaceAll(strings.ReplaceAll(elastic, "{", "{\n  "), ",", ",\n  "),
		"an array":              "[" + a + ",\n" + b + "]",
		"an answer of Loki":     `{"status":"success","data":{"resultType":"streams","result":[{"stream":{"app":"coredns"},"values":[["1795960931000000000","` + quoted(a) + `"],["1795960932000000000","` + quoted(b) + `"]]}],"stats":{}}}`,
		"JSON of ClickHouse":    `{"meta":[{"name":"cause","type":"String"}],"data":[` + a + `,` + b + `],"rows":2}`,
		"a record a line":       a + "\n" + b,
		"a message of journald": `{"MESSAGE":"` + quoted(a) + `"}` + "\n" + b,
	} {
		t.Run(name, func(t *testing.T) {
			got, _, bad := readAll(t, text)
			if want := "[n1.example.org. n2.example.org.]"; fmt.Sprint(got) != want || bad != [logline.NumMalformed]uint64{} {
				t.Errorf("%v, malformed %v", got, bad)
			}
		})
	}
}

func TestADocumentThatIsCutOffIsAnError(t *testing.T) {
	for _, text := range []string{
		`{"took":3,"hits":{"hits":[` + fmt.Sprintf(record, 1) + `,`, `[` + fmt.Sprintf(record, 1), `{"took":` + strings.Repeat(`[`, 40),
	} {
		path := filepath.Join(t.TempDir(), "answer.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		src, err := Open(path, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = Scan(t.Context(), src, logline.Parser{}, func(*Block) {})
		src.Close()
		if err == nil {
			t.Errorf("%.40s: no error", text)
		}
	}
}

func readAll(t *testing.T, text string) ([]string, uint64, [logline.NumMalformed]uint64) {
	t.Helper()
	src, err := Open(Stdin, strings.NewReader(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return scanned(t, src)
}
