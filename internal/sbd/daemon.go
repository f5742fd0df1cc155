package sbd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/param"
)

// DefaultTimeout is SBD's own watchdog time-out (sbd(8), -1).
const DefaultTimeout = 5 * time.Second

// pidFile is where SBD notes its process, as Pacemaker knows it (PCMK__RUN_DIR).
const pidFile = "/run/sbd.pid"

// Daemon is SBD on one node.
type Daemon struct {
	// Running says whether it runs.
	Running bool
	// Timeout is SBD_WATCHDOG_TIMEOUT: 0 where nothing says it, or where Word, what says it, is not
	// a time. A bare number is in seconds, to Pacemaker too.
	Timeout time.Duration
	Word    string
	// SaidBy is where Word was read, "" if nothing says it.
	SaidBy string
	// Disks are those of SBD_DEVICE, "" without a disk.
	Disks string
	// Watchdog is SBD_WATCHDOG_DEV, "" if nothing says it.
	Watchdog string
}

// Fires returns after what time the watchdog fires: SBD's default where nothing says it, 0 where
// what says it is not a time.
func (d Daemon) Fires() time.Duration {
	if d.Word == "" && d.Timeout == 0 {
		return DefaultTimeout
	}
	return d.Timeout
}

// Here finds out about SBD on this node, with the settings of its file. root stands before the
// paths. With an error, the rest is what could be found out.
func Here(root string) (Daemon, error) {
	var d Daemon
	var runErr error
	d.Running, runErr = running(root)
	settings, path, err := Read(root)
	d.take(settings, path)
	return d, errors.Join(runErr, err)
}

// AsPacemaker finds out about SBD on this node with the settings that Pacemaker was started with,
// which are those that it compares, or else those of the file. root stands before the paths.
func AsPacemaker(root string) (Daemon, error) {
	var d Daemon
	var err error
	if d.Running, err = running(root); err != nil || !d.Running {
		return d, err
	}
	if settings, path, err := Read(root); err == nil {
		d.take(settings, path)
	}
	if env, ok := procOf(root).EnvironOf("pacemakerd"); ok {
		d.take(Parse(env), "the environment of pacemakerd")
	}
	return d, nil
}

// take takes the settings that are set. A time-out that is not one stands in for none only.
func (d *Daemon) take(s Settings, from string) {
	if device, ok := s[Watchdog]; ok {
		d.Watchdog = device
	}
	if disks, ok := s[Device]; ok {
		d.Disks = disks
	}
	word, ok := s[Timeout]
	timeout, err := param.ParseDuration(word)
	if valid := err == nil && timeout > 0; ok && (valid || d.Timeout == 0) {
		d.Word, d.SaidBy, d.Timeout = word, from, 0
		if valid {
			d.Timeout = timeout
		}
	}
}

// running looks for SBD as Pacemaker does: by its file, then by the name of a process
// (pcmk__locate_sbd()).
func running(root string) (bool, error) {
	found, err := inPIDFile(root)
	if found || len(procOf(root).Named("sbd")) > 0 {
		return true, nil
	}
	return false, err
}

func inPIDFile(root string) (bool, error) {
	text, err := os.ReadFile(filepath.Join("/", root, pidFile))
	pid, numErr := strconv.Atoi(strings.TrimSpace(string(text)))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("%s cannot be read: %w", pidFile, outcome.Cause(err))
	case numErr != nil:
		return false, fmt.Errorf("%s does not hold the number of a process", pidFile)
	}
	target, err := os.Readlink(filepath.Join(string(procOf(root)), strconv.Itoa(pid), "exe"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil // a file that was left behind
	case err != nil:
		return false, fmt.Errorf("the process %d of %s cannot be looked at: %w", pid, pidFile,
			outcome.Cause(err))
	}
	return strings.TrimSuffix(filepath.Base(target), " (deleted)") == "sbd", nil
}

func procOf(root string) procfs.FS { return procfs.FS(filepath.Join("/", root, "proc")) }
