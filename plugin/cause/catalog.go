package cause

// Groups is the catalog. A cause is added by one entry in its group, one rule in
// rules.go, and one golden.
var Groups = []Group{
	{"Upstream: nothing usable came back", exchangeCauses},
	{"Upstream: it answered with the failure", answerCauses},
	{"This server: zones and backends", zoneCauses},
	{"This server: policy", policyCauses},
	{"This server: configuration and faults", faultCauses},
	{"The path, found by diagnosis", pathCauses},
	{"The upstream and what is behind it, found by diagnosis", suspectCauses},
	{"DNSSEC, found by diagnosis", dnssecCauses},
	{"Delegation, found by diagnosis", delegationCauses},
	{"Resolver or zone, found by asking others", compareCauses},
}
