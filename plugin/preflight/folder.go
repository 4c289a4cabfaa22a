package preflight

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/coredns/coredns/plugin"
)

// maxFiles is how many files of a directory ZoneFiles looks at.
const maxFiles = 1 << 12

// ZoneFiles returns the names of the files in and below dir, without their
// directories, as auto walks it: dir itself may be a symbolic link. It returns
// none if there are more than maxFiles.
func ZoneFiles(dir string) ([]string, error) {
	if resolved, err := filepath.EvalSymlinks(dir); err == nil {
		dir = resolved
	}
	var names []string
	met := 0
	err := filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if met++; met > maxFiles {
			names = nil
			return filepath.SkipAll
		}
		if err != nil || entry.IsDir() {
			return err
		}
		names = append(names, entry.Name())
		return nil
	})
	return names, err
}

// fill looks at what the directory of auto has. One that is empty says nothing:
// it may be filled after the start.
func (s *server) fill(h Host) {
	l, ok := s.find("auto")
	if !ok || h.ZoneFiles == nil {
		return
	}
	for i := range s.chain.Links { // the last is read
		if s.chain.Links[i].Name == "auto" {
			l = &s.chain.Links[i]
		}
	}
	args, _ := l.Option("directory")
	if len(args) == 0 {
		return
	}
	dir := args[0]
	if root, ok := s.find("root"); ok && !filepath.IsAbs(dir) && len(root.Args()) > 0 {
		dir = filepath.Join(root.Args()[0], dir)
	}
	names, err := h.ZoneFiles(dir)
	if err != nil {
		return
	}
	if zones := origins(names, args[1:]); len(zones) > 0 && len(zones) <= maxZones {
		l.Holds(zones)
		s.folder = true
	}
}

// origins returns the zones that auto reads out of the names of files, with the
// pattern and the template that may stand behind the directory
// (plugin/auto/walk.go, matches).
func origins(files, how []string) []string {
	pattern, template := `db\.(.*)`, "${1}"
	if len(how) == 2 {
		pattern, template = how[0], strings.ReplaceAll(how[1], "{", "${")
	}
	re, err := regexp.Compile(pattern)
	if err != nil || len(how) == 1 || len(how) > 2 {
		return nil
	}
	var zones []string
	for _, name := range files {
		at := re.FindStringSubmatchIndex(name)
		if at == nil {
			continue
		}
		if origin := re.ExpandString(nil, template, name, at); len(origin) > 0 {
			zones = append(zones, plugin.Name(origin).Normalize())
		}
	}
	return zones
}
