package corefile

import (
	"os"
	"path/filepath"
)

// imported are the files that a Corefile imports, and the lines of blocks in those that were
// read.
type imported struct {
	lists map[string]*keyLineList
	tries int // how many files are still looked into
}

// Limits on the search for a block whose file is not known.
const (
	maxLooks  = 1 << 16
	maxNested = 16
)

// list reads the lines of blocks in file once; it has none if the file cannot be read.
func (im *imported) list(file string) *keyLineList {
	list, known := im.lists[file]
	if !known {
		list = &keyLineList{}
		if text, err := os.ReadFile(file); err == nil {
			list, _ = keyLines(file, text)
		}
		im.lists[file] = list
	}
	return list
}

// find is next for the files that list, of the file from, imports, and those that they
// import.
func (im *imported) find(from string, list *keyLineList, key string, depth int) (file string, line keyLine, found bool) {
	for _, pattern := range list.imports {
		for _, file := range matches(from, pattern) {
			if im.tries--; im.tries < 0 {
				return "", keyLine{}, false
			}
			inside := im.list(file)
			if line, found := inside.next(key); found {
				return file, line, true
			}
			if depth < maxNested {
				if file, line, found := im.find(file, inside, key, depth+1); found {
					return file, line, true
				}
			}
		}
	}
	return "", keyLine{}, false
}

// matches are the files that an import in the file from stands for.
func matches(from, pattern string) []string {
	pattern = expand(pattern)
	if !filepath.IsAbs(pattern) {
		dir, err := filepath.Abs(filepath.Dir(from))
		if err != nil {
			return nil
		}
		pattern = filepath.Join(dir, pattern)
	}
	files, _ := filepath.Glob(pattern)
	return files
}
