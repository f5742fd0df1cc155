package family

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// A worker whose master was killed, and of which nothing was remembered, is recognised by the
// sockets that it has open: they were bound in the instance's directory, by root.

// mostDescriptors is how many descriptors of a process are looked at: HAProxy's sockets are among
// the first.
const mostDescriptors = 4096

// sockets returns the inodes of the sockets that are bound in the directory, as their names say:
// somebody may have a directory of that name in a file system of his own.
func (f Finder) sockets() map[string]bool {
	text, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		return nil
	}
	found := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		// Num RefCount Protocol Flags Type St Inode Path
		words := strings.Fields(line)
		if len(words) > 7 && strings.HasPrefix(words[7], f.Dir+"/") {
			found["socket:["+words[6]+"]"] = true
		}
	}
	return found
}

// has reports whether a process has one of the sockets open, made by root.
func has(pid int, sockets map[string]bool) bool {
	if len(sockets) == 0 {
		return false
	}
	path := "/proc/" + strconv.Itoa(pid) + "/fd"
	dir, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = dir.Close() }()
	names, _ := dir.Readdirnames(mostDescriptors)
	for _, name := range names {
		target, err := os.Readlink(path + "/" + name)
		if err != nil || !sockets[target] {
			continue
		}
		if info, err := os.Stat(path + "/" + name); err == nil &&
			info.Sys().(*syscall.Stat_t).Uid == 0 {
			return true
		}
	}
	return false
}
