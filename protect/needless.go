package protect

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/internal/procfs"
)

// needless returns the reason why nothing needs to be held, "" if there is none. It never guesses:
// a process or a file that it may not read is skipped.
func needless(seen sight) string {
	if setting, err := os.ReadFile("/proc/sys/net/ipv4/tcp_migrate_req"); err == nil &&
		strings.TrimSpace(string(setting)) == "1" {
		// Linux 5.14, Documentation/networking/ip-sysctl.rst.
		return "net.ipv4.tcp_migrate_req=1: the kernel hands connections that wait at a closed " +
			"socket to the next process which listens on the same port with SO_REUSEPORT"
	}
	for _, pid := range procfs.Default.Named("haproxy") {
		if how := passesSockets(pid); how != "" && holds(pid, seen) {
			return fmt.Sprintf("HAProxy (process %d) passes its listening sockets to the next "+
				"one: %s", pid, how)
		}
	}
	return ""
}

// holds reports whether a process holds one of the listening sockets.
func holds(pid int, seen sight) bool {
	inodes, _ := procfs.Default.SocketInodes(pid)
	for inode := range inodes {
		if seen.has(uint32(inode)) {
			return true
		}
	}
	return false
}

// passesSockets returns how a HAProxy passes its sockets on: -x was used already, the master does
// it for its workers (HAProxy's management guide, 3., -x), or the configuration lets a stats socket
// hand them out, for a reload that uses -x.
func passesSockets(pid int) string {
	args := procfs.Default.Args(pid)
	switch {
	case len(args) == 0:
		return ""
	case slices.Contains(args, "-x"):
		return "it was started with -x"
	case slices.Contains(args, "-W"), slices.Contains(args, "-Ws"):
		return "it runs in master-worker mode (-W)"
	}
	for i, arg := range args[:len(args)-1] {
		if arg != "-f" {
			continue
		}
		// The path as the process sees it, with its own root and working directory.
		file := filepath.Join(fmt.Sprintf("/proc/%d/root", pid), args[i+1])
		if !filepath.IsAbs(args[i+1]) {
			file = filepath.Join(fmt.Sprintf("/proc/%d/cwd", pid), args[i+1])
		}
		if exposes(file) {
			return "`expose-fd listeners` in " + args[i+1] + ", if the reload uses -x"
		}
	}
	return ""
}

func exposes(file string) bool {
	text, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	for line := range bytes.Lines(text) {
		line, _, _ = bytes.Cut(line, []byte("#"))
		words := strings.Fields(string(line))
		if i := slices.Index(words, "expose-fd"); i > 0 && i+1 < len(words) &&
			words[i+1] == "listeners" {
			return true
		}
	}
	return false
}
