package logline

// What keys are in addition to the fields. Of those that are read over, so that a newer plugin's
// lines stay readable, those that are in most lines are told apart.
const (
	clientPort = numFields + iota
	qclass
	queryID
	// What follows has a meaning in JSON alone; see Parser.member.
	jsonTime
	jsonLevel
	jsonMsg
	jsonPlugin
	unread
	// begin stands before the first key of a line.
	begin
	numKeys
)

var keys = [numKeys]string{
	RCode:           "rcode",
	Cause:           "cause",
	EDE:             "ede",
	Lasts:           "lasts",
	Owner:           "owner",
	At:              "at",
	Upstream:        "upstream",
	Zone:            "zone",
	Server:          "server",
	Protocol:        "protocol",
	ClientIP:        "client_ip",
	QName:           "qname",
	QType:           "qtype",
	Asked:           "asked",
	Duration:        "duration_seconds",
	Cached:          "cached",
	Sent:            "sent",
	Count:           "count",
	Names:           "names",
	Window:          "window_seconds",
	Top:             "top",
	After:           "after_seconds",
	Result:          "result",
	Text:            "text",
	Error:           "error",
	Advice:          "advice",
	CachedSum:       "cached_count",
	ClientNamespace: "client_namespace",
	ClientPod:       "client_pod",
	Instance:        "instance",
	Refines:         "refines",
	clientPort:      "client_port",
	qclass:          "qclass",
	queryID:         "id",
	jsonTime:        "time",
	jsonLevel:       "level",
	jsonMsg:         "msg",
	jsonPlugin:      "plugin",
}

// fields has the field of each key that is kept.
var fields = func() map[string]Field {
	fields := make(map[string]Field, len(keys))
	for f, key := range keys {
		if key != "" {
			fields[key] = Field(f)
		}
	}
	return fields
}()

func isKey(b []byte) bool {
	for _, c := range b {
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '_') {
			return false
		}
	}
	return true
}
