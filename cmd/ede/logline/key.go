package logline

// fieldOf knows the keys that are kept; others are read over, so that a newer
// plugin's lines stay readable.
func fieldOf(key []byte) (Field, bool) {
	switch string(key) {
	case "rcode":
		return RCode, true
	case "cause":
		return Cause, true
	case "ede":
		return EDE, true
	case "lasts":
		return Lasts, true
	case "owner":
		return Owner, true
	case "at":
		return At, true
	case "upstream":
		return Upstream, true
	case "zone":
		return Zone, true
	case "server":
		return Server, true
	case "protocol":
		return Protocol, true
	case "client_ip":
		return ClientIP, true
	case "qname":
		return QName, true
	case "qtype":
		return QType, true
	case "asked":
		return Asked, true
	case "duration_seconds":
		return Duration, true
	case "cached":
		return Cached, true
	case "sent":
		return Sent, true
	case "count":
		return Count, true
	case "names":
		return Names, true
	case "window_seconds":
		return Window, true
	case "top":
		return Top, true
	case "after_seconds":
		return After, true
	case "result":
		return Result, true
	case "text":
		return Text, true
	case "error":
		return Error, true
	case "advice":
		return Advice, true
	case "cached_count":
		return CachedSum, true
	case "client_namespace":
		return ClientNamespace, true
	case "client_pod":
		return ClientPod, true
	case "instance":
		return Instance, true
	}
	return 0, false
}
