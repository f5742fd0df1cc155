package protect

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/internal/procfs"
)

// hintTime is how long it may take to find out that nothing needs to be held: it is a hint, and
// the command waits for it. A file may be on storage that hangs.
const hintTime = 500 * time.Millisecond

// needless returns the reason why nothing needs to be held, "" if there is none or it takes long to
// find. It never guesses: a process or a file that it may not read is skipped.
func needless(seen sight) string {
	found := make(chan string, 1)
	go func() { found <- findNeedless(seen) }()
	select {
	case why := <-found:
		return why
	case <-time.After(hintTime):
		return ""
	}
}

func findNeedless(seen sight) string {
	if setting, err := os.ReadFile("/proc/sys/net/ipv4/tcp_migrate_req"); err == nil &&
		strings.TrimSpace(string(setting)) == "1" {
		// Linux 5.14, Documentation/networking/ip-sysctl.rst.
		return "net.ipv4.tcp_migrate_req=1: the kernel hands connections that wait at a closed " +
			"socket to the next process which listens on the same port with SO_REUSEPORT"
	}
	// Any user may call a process haproxy: nothing of it is read before it is known to listen.
	for _, pid := range procfs.Default.Named("haproxy") {
		if !holds(pid, seen) {
			continue
		}
		if how := passesSockets(pid); how != "" {
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
// hand them out, for a reload that uses -x. Files are read of root's processes only: those of others
// name what they like.
func passesSockets(pid int) string {
	args := procfs.Default.Args(pid)
	switch {
	case len(args) == 0:
		return ""
	case slices.Contains(args, "-x"):
		return "it was started with -x"
	case slices.Contains(args, "-W"), slices.Contains(args, "-Ws"):
		return "it runs in master-worker mode (-W)"
	case !procfs.Default.Roots(pid):
		return ""
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

// exposes reports whether a configuration has a stats socket that hands listening sockets out.
func exposes(file string) bool {
	for line := range bytes.Lines(readRegular(file)) {
		line, _, _ = bytes.Cut(line, []byte("#"))
		words := strings.Fields(string(line))
		if i := slices.Index(words, "expose-fd"); i > 0 && i+1 < len(words) &&
			words[i+1] == "listeners" {
			return true
		}
	}
	return false
}

// mostConfig is how much of a configuration is read, in bytes.
const mostConfig = 1 << 20

// readRegular returns the beginning of a file, nil if it is not a regular one: a FIFO or a device
// may never end.
func readRegular(path string) []byte {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return nil // opening a device may have an effect
	}
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil
	}
	defer func() { _ = file.Close() }()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	text, _ := io.ReadAll(io.LimitReader(file, mostConfig))
	return text
}
