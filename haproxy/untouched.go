package haproxy

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// Changes returns when each file and directory of a configuration was last changed, each symbolic link
// on the way to one, and each directory there that may have been put into another's place. Nothing but
// a write sets back the time at which a file was last changed.
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
		real, err := filepath.EvalSymlinks(path)
		if err != nil {
			return nil, err
		}
		for _, way := range [][]string{above(path), above(real)} {
			for _, path := range way {
				info, err := os.Lstat(path)
				if err != nil {
					return nil, err
				}
				if info.Mode()&fs.ModeSymlink != 0 || moved(info) {
					note(info)
				}
			}
		}
	}
	return times, nil
}

// above returns a path and the directories that it leads through.
func above(path string) []string {
	all := []string{path}
	for path != filepath.Dir(path) {
		path = filepath.Dir(path)
		all = append(all, path)
	}
	return all
}

// moved reports whether the last that happened to a directory may be that it was renamed. That changes
// the inode alone; a file that comes or goes, which may be an editor's, changes the content as well.
func moved(info fs.FileInfo) bool {
	stat := info.Sys().(*syscall.Stat_t)
	return info.IsDir() && stat.Ctim != stat.Mtim
}

// Untouched reports whether the files and directories of a configuration are as they were at
// that time.
func Untouched(at time.Time, paths []string, sources []Source) bool {
	times, err := Changes(paths, sources)
	return err == nil && !slices.ContainsFunc(times, func(t time.Time) bool { return t.After(at) })
}
