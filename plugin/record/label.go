package record

import (
	"context"
	"strconv"
	"strings"

	"github.com/coredns/coredns/plugin/metadata"
)

// Labels are the metadata labels of a failure, in the order of the README.
var Labels = []string{"ede/cause", "ede/code", "ede/text", "ede/at", "ede/upstream", "ede/lasts", "ede/owner"}

// Label puts the metadata labels of f into ctx, for the log plugin and for
// dnstap's extra field. Without the metadata plugin it does nothing.
func Label(ctx context.Context, f *Failure) {
	if metadata.ValueFuncs(ctx) == nil {
		return
	}
	v := f.Verdict
	set := func(label, value string) {
		metadata.SetValueFunc(ctx, label, func() string { return value })
	}
	set("ede/cause", v.Cause.ID)
	codes := make([]string, 0, len(v.Statements))
	for _, code := range v.Codes() {
		codes = append(codes, strconv.Itoa(int(code)))
	}
	set("ede/code", strings.Join(codes, ","))
	set("ede/text", v.Text())
	set("ede/at", v.At)
	set("ede/upstream", v.Upstream)
	set("ede/lasts", string(v.Lasts))
	set("ede/owner", string(v.Owner))
}
