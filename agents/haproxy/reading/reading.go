// Package reading tells which version of its configuration HAProxy has loaded, where somebody changed
// the files meanwhile. See docs/decisions/0070-what-haproxy-has-read.md.
//
// It imports the client of HAProxy. There is only this file.
package reading

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	client "github.com/hawser-ha/hawser/haproxy"
)

// A Mark is the path of the file that comes last on HAProxy's command line. HAProxy reads its files
// in their order, so when it reads this one it has read all others. The kernel notes when a file is
// first read after it was changed, but not where it is mounted with noatime.
type Mark string

// Set has the next reading of the file noted. It comes right before HAProxy is told to load.
func (m Mark) Set() error { return os.Chtimes(string(m), time.Unix(1, 0), time.Now()) }

// times returns when Set was called, and when the file was first read since; zero if it was not, or if
// that is not known.
func (m Mark) times() (set, read time.Time, err error) {
	var mount unix.Statfs_t
	if err := unix.Statfs(string(m), &mount); err != nil {
		return set, read, err
	}
	info, err := os.Stat(string(m))
	if err != nil {
		return set, read, err
	}
	stat := info.Sys().(*syscall.Stat_t)
	set = time.Unix(stat.Ctim.Unix())
	// with strictatime it may be a later reading
	if read = time.Unix(stat.Atim.Unix()); mount.Flags&unix.ST_RELATIME == 0 || read.Before(set) {
		read = time.Time{}
	}
	return set, read, nil
}

const (
	// atOnce is how soon after it was told HAProxy has read its files, if it does not have to work on
	// them meanwhile. Nobody changes them twice in that time.
	atOnce = time.Second
	// tick is how much the clock of the file systems may be behind.
	tick = 10 * time.Millisecond
)

// Which is what a HAProxy has loaded.
type Which int

const (
	// Unknown is neither the one nor the other for sure.
	Unknown Which = iota
	// Before are the files as they were when it was told to load them.
	Before
	// Now are the files as they are now.
	Now
)

// Loaded returns which version a HAProxy has loaded that was told to after the time since, and has done
// so, where the files and directories are not what they were before: now is what they are now.
func (m Mark) Loaded(since time.Time, paths []string, now []client.Source) Which {
	set, read, err := m.times()
	if err != nil || set.Before(since.Add(-tick)) {
		return Unknown
	}
	changes, err := client.Changes(paths, now)
	if err != nil {
		return Unknown
	}
	earlier, later := 0, 0
	for _, at := range changes {
		switch {
		case at.Before(set):
			earlier++
		case !read.IsZero() && at.After(read):
			later++
		}
	}
	switch {
	case earlier == len(changes):
		return Now
	case earlier+later == len(changes) && read.Sub(set) < atOnce:
		return Before
	}
	return Unknown
}
