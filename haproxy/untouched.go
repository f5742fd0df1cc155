package haproxy

import (
	"io/fs"
	"os"
	"slices"
	"syscall"
	"time"
)

// Untouched reports whether the files and directories of a configuration are as they were at
// that time: nothing but a write sets back the time at which a file was last changed.
func Untouched(at time.Time, paths []string, sources []Source) bool {
	all := slices.Clone(paths)
	for _, source := range sources {
		all = append(all, source.File)
	}
	for _, path := range all {
		for _, stat := range []func(string) (fs.FileInfo, error){os.Lstat, os.Stat} {
			info, err := stat(path)
			if err != nil {
				return false
			}
			if changed := info.Sys().(*syscall.Stat_t).Ctim; time.Unix(changed.Unix()).After(at) {
				return false
			}
		}
	}
	return true
}
