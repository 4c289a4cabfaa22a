package main

import "io/fs"

// writable shows a read-only tree, such as a module of the cache, with the modes
// of one that can be changed.
type writable struct{ fs.FS }

func (w writable) Open(name string) (fs.File, error) {
	f, err := w.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return writableFile{f}, nil
}

func (w writable) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(w.FS, name) }

type writableFile struct{ fs.File }

func (f writableFile) Stat() (fs.FileInfo, error) {
	info, err := f.File.Stat()
	if err != nil {
		return nil, err
	}
	return writableInfo{info}, nil
}

type writableInfo struct{ fs.FileInfo }

func (i writableInfo) Mode() fs.FileMode { return i.FileInfo.Mode() | 0o600 }
