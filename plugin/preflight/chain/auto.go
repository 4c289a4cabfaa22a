package chain

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

// Fill looks at what the directory of auto has, if the block has one, and reports
// whether that is known now. files is ZoneFiles. A directory that has no zone says
// nothing: it may be filled after the start, and neither does one with more than most.
func (c *Chain) Fill(files func(dir string) ([]string, error), most int) bool {
	var auto *Link
	root := ""
	for i := range c.Links {
		switch l := &c.Links[i]; l.Name {
		case "auto": // the last is read
			auto = l
		case "root":
			root = strings.Join(l.Args(), "")
		}
	}
	if auto == nil || files == nil {
		return false
	}
	args, ok := auto.Option("directory")
	if !ok || len(args) == 0 {
		return false
	}
	dir := args[0]
	if !filepath.IsAbs(dir) && root != "" {
		dir = filepath.Join(root, dir)
	}
	names, err := files(dir)
	if err != nil {
		return false
	}
	zones := origins(names, args[1:])
	if len(zones) == 0 || len(zones) > most {
		return false
	}
	auto.holds(zones)
	return true
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

// holds tells what the directory of an auto has: answers for these zones, as far
// as they lie in its own. Before that it may have any of its own.
func (l *Link) holds(zones []string) {
	l.group = l.zones
	l.Zones = nil
	for _, z := range zones {
		if l.group.has(z) {
			l.Zones = append(l.Zones, z)
		}
	}
	l.zones, l.Answers, l.held = newZoneSet(l.Zones), true, true
}

// meetAuto is plugin/auto/auto.go, ServeDNS.
func meetAuto(c *Chain, i int, q *Question) step {
	l := &c.Links[i]
	switch {
	case !l.held && l.zones.has(q.Name):
		return maybe
	case l.held && l.zones.has(q.Name):
		return answer
	case i == c.last && l.group.has(q.Name):
		return refuse
	}
	return pass
}
