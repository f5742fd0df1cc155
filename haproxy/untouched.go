package haproxy

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// Changes returns when each file and directory of a configuration was last changed, and each symbolic
// link on the way to one. Nothing but a write sets back the time at which a file was last changed.
func Changes(paths []string, sources []Source) ([]time.Time, error) {
	all := slices.Clone(paths)
	for _, source := range sources {
		all = append(all, source.File)
	}
	var times []time.Time
	note := func(info fs.FileInfo) {
		times = append(times, time.Unix(info.Sys().(*syscall.Stat_t).Ctim.Unix()))
	}
	for _, path := range all {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		note(info)
		for ; ; path = filepath.Dir(path) {
			info, err := os.Lstat(path)
			if err != nil {
				return nil, err
			}
			if info.Mode()&fs.ModeSymlink != 0 {
				note(info)
			}
			if path == filepath.Dir(path) {
				break
			}
		}
	}
	return times, nil
}

// Untouched reports whether the files and directories of a configuration are as they were at
// that time.
func Untouched(at time.Time, paths []string, sources []Source) bool {
	times, err := Changes(paths, sources)
	return err == nil && !slices.ContainsFunc(times, func(t time.Time) bool { return t.After(at) })
}
