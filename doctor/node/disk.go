package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/doctor"
)

// How full a file system may be: below scarce something will fail soon, below none it does.
const (
	scarceShare = 0.05
	scarceMost  = 256 << 20 // a large file system may be at 96 % and have plenty
	noneLeft    = 1 << 20
	configDir   = "/etc/haproxy"
)

func (n Node) diskCheck() doctor.Check {
	return doctor.Check{
		Name: "disk",
		Short: "a file system that is full, or has become read-only: HAProxy's " +
			"configuration, the agents' runtime files, Pacemaker's CIB",
		Worst: doctor.Error,
		Why: "an agent that cannot write its state fails, and Pacemaker cannot save its " +
			"configuration",
		Remedy: "free some space (`df -h`)",
		Run: func(context.Context) ([]doctor.Finding, error) {
			var found []doctor.Finding
			seen := map[syscall.Fsid]bool{}
			for _, dir := range []string{
				configDir, "/run", n.RunDir, "/var/lib/pacemaker/cib", "/var/log",
			} {
				path := dir
				if dir != n.RunDir {
					path = n.file(dir)
				}
				var st syscall.Statfs_t
				if err := syscall.Statfs(path, &st); errors.Is(err, fs.ErrNotExist) {
					continue
				} else if err != nil {
					return found, fmt.Errorf("%s: %w", path, err)
				}
				if seen[st.Fsid] && st.Fsid != (syscall.Fsid{}) {
					continue
				}
				seen[st.Fsid] = true
				// The kernel makes a file system with errors read-only. That of the configuration
				// may be so on purpose.
				if st.Flags&unix.ST_RDONLY != 0 && dir != configDir {
					found = append(found,
						n.found(doctor.Error, path, path+" is on a file system that is read-only",
							"an agent that cannot write its state fails, and so does a save of "+
								"the configuration",
							"dmesg --level=err,warn   # what the kernel has found",
							"findmnt --target "+doctor.Quote(path)))
				}
				free, size := st.Bavail*uint64(st.Bsize), st.Blocks*uint64(st.Bsize)
				severity := doctor.Severity("")
				switch {
				case size == 0:
				case free < noneLeft:
					severity = doctor.Error
				case float64(free) < scarceShare*float64(size) && free < scarceMost:
					severity = doctor.Warning
				}
				why := "an agent that cannot write its state fails, and so does a save of the " +
					"configuration"
				if severity != "" {
					found = append(found,
						n.found(severity, path,
							fmt.Sprintf("%s has %s left of %s", path, sized(free), sized(size)),
							why, "df -h "+doctor.Quote(path)))
				}
				if st.Files > 0 && st.Ffree < 100 {
					found = append(found,
						n.found(doctor.Error, path,
							fmt.Sprintf("%s has room for %d more files, of %d", path, st.Ffree,
								st.Files),
							why, "df -i "+doctor.Quote(path)))
				}
			}
			return found, nil
		},
	}
}

func sized(n uint64) string {
	if n < 10<<20 {
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d MiB", n>>20)
}
