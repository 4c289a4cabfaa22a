package instance

import (
	"runtime/debug"
	"testing"
)

func TestTheBuildIsWhatTheToolchainRecorded(t *testing.T) {
	main := func(version string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Path: modulePath, Version: version}, Settings: settings}
	}
	within := func(version string) *debug.BuildInfo {
		return &debug.BuildInfo{
			Main: debug.Module{Path: "github.com/coredns/coredns", Version: "(devel)"},
			Deps: []*debug.Module{{Path: "github.com/miekg/dns", Version: "v1.1.73"}, {Path: modulePath, Version: version}},
			// The work tree of CoreDNS, not of ede.
			Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "c0de"}},
		}
	}
	commit := debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"}
	for _, c := range []struct {
		name            string
		info            *debug.BuildInfo
		version, commit string
	}{
		{"nothing", new(debug.BuildInfo), "devel", "unknown"},
		{"go run", main("(devel)"), "devel", "unknown"},
		{"go build at a commit", main("v0.0.0-20260102030405-0123456789ab", commit), "v0.0.0-20260102030405-0123456789ab", commit.Value},
		{"go build with changes", main("v0.2.0+dirty", commit, debug.BuildSetting{Key: "vcs.modified", Value: "true"}), "v0.2.0+dirty", commit.Value + "-dirty"},
		{"go install of a release", main("v0.2.0"), "v0.2.0", "unknown"},
		{"go install of a commit", main("v0.2.1-0.20260102030405-0123456789ab"), "v0.2.1-0.20260102030405-0123456789ab", "0123456789ab"},
		{"plugin.cfg with a release", within("v0.2.0"), "v0.2.0", "unknown"},
		{"plugin.cfg with a commit", within("v0.2.1-0.20260102030405-0123456789ab"), "v0.2.1-0.20260102030405-0123456789ab", "0123456789ab"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if v, r := recorded(c.info); v != c.version || r != c.commit {
				t.Errorf("version %q, commit %q, want %q and %q", v, r, c.version, c.commit)
			}
		})
	}
}
