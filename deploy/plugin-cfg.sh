#!/bin/sh
# Puts ede into a plugin.cfg of CoreDNS: plugin-cfg.sh FILE
#
# By name, not by line, because distributions order the file differently. ede
# has to stand below the plugins that report on answers, so that they see what
# it attaches, and above those that answer, so that it sees how they fail.
set -eu

file=${1:?usage: plugin-cfg.sh FILE}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

awk -F: -v module=github.com/seed-1b7246af/coredns-ede -v note="$work/note" '
BEGIN {
    words("prometheus errors log dnstap", reports)
    words("dns64 siit rewrite autopath acl cache header dnssec minimal template transfer dynupdate hosts " \
        "route53 azure clouddns k8s_external kubernetes file auto secondary etcd forward grpc erratic nomad", answers)
}
function words(list, set,    all, i) { split(list, all, " "); for (i in all) set[all[i]] = 1 }
{ name = $1; gsub(/[ \t\r]/, "", name) }
name == "ede" { next }
{ line[++count] = $0 }
name in answers && !first { first = count; answerer = name }
name in reports { if (first) late = late " " name; else { place = count; above = name } }
END {
    if (!place) {
        why = late ? answerer ", which answers, stands above" late : "it has none of them"
        print "plugin.cfg has no place for ede below prometheus, errors, log or dnstap: " why > "/dev/stderr"
        exit 1
    }
    for (i = 1; i <= count; i++) {
        print line[i]
        if (i == place) print "ede:" module
    }
    printf "ede after %s", above > note
    if (late) printf "; below %s, so without what ede attaches:%s", answerer, late > note
    print "" > note
}' "$file" >"$work/plugin.cfg"
cat "$work/plugin.cfg" >"$file"
cat "$work/note"
