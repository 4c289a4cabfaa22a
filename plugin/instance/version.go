package instance

import (
	"cmp"
	"runtime/debug"

	"golang.org/x/mod/module"
)

const modulePath = "github.com/seed-1b7246af/coredns-ede"

// revision is the commit, if the linker was told so with -X: of a module that it
// did not build in a work tree the toolchain records the version and no commit.
var revision string

// Version returns the version and the commit of ede in the running binary, or "devel" and
// "unknown" if the build did not record them.
func Version() (version, commit string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = new(debug.BuildInfo)
	}
	version, commit = recorded(info)
	return version, cmp.Or(revision, commit)
}

// recorded reads what the toolchain noted: ede is either the main module, with
// the state of its work tree if it was built in one, or one of those that
// CoreDNS was built with.
func recorded(info *debug.BuildInfo) (version, commit string) {
	if info.Main.Path == modulePath {
		version = info.Main.Version
		dirty := ""
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				commit = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				dirty = "-dirty"
			}
		}
		if commit != "" {
			commit += dirty
		}
	}
	for _, m := range info.Deps {
		if m.Path == modulePath {
			version = m.Version
		}
	}
	if commit == "" && module.IsPseudoVersion(version) {
		commit, _ = module.PseudoVersionRev(version)
	}
	if version == "(devel)" {
		version = ""
	}
	return cmp.Or(version, "devel"), cmp.Or(commit, "unknown")
}
