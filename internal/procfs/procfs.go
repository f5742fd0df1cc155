// Package procfs reads what the kernel says about processes (proc(5)).
//
// It imports nothing of hawser. Start reading here; stat.go has the fields of /proc/PID/stat.
package procfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// FS is a mounted proc file system, by its path.
type FS string

// Default is the proc file system of this machine.
const Default FS = "/proc"

// ErrGone is the error for a process that does not exist.
var ErrGone = errors.New("no such process")

func (f FS) path(pid int, name string) string {
	return string(f) + "/" + strconv.Itoa(pid) + "/" + name
}

// PIDs returns the ids of all processes.
func (f FS) PIDs() ([]int, error) {
	dir, err := os.Open(string(f))
	if err != nil {
		return nil, fmt.Errorf("cannot list processes: %w", err)
	}
	defer func() { _ = dir.Close() }()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("cannot list processes: %w", err)
	}
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// Executable returns the path of a process's program, without the mark of a file that has been
// replaced; "" if the process has none or may not be inspected.
func (f FS) Executable(pid int) string {
	path, err := os.Readlink(f.path(pid, "exe"))
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(path, " (deleted)")
}

// Program returns the file name of a process's program, "" if it has none.
func (f FS) Program(pid int) string {
	path := f.Executable(pid)
	if path == "" {
		return ""
	}
	return filepath.Base(path)
}

// Name returns a process's name as ps shows it, of at most 15 bytes; "" if there is no such
// process.
func (f FS) Name(pid int) string {
	text, err := os.ReadFile(f.path(pid, "comm"))
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(text), "\n")
}

// Named returns the ids of the processes with a name.
func (f FS) Named(name string) []int {
	pids, _ := f.PIDs()
	var named []int
	for _, pid := range pids {
		if f.Name(pid) == name {
			named = append(named, pid)
		}
	}
	return named
}

// Args returns a process's arguments, nil for one that ended or is a thread of the kernel.
func (f FS) Args(pid int) []string {
	text, err := os.ReadFile(f.path(pid, "cmdline"))
	if err != nil || len(text) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
}

// Environ returns the environment that a process was started with, as "NAME=value".
func (f FS) Environ(pid int) ([]string, error) {
	text, err := os.ReadFile(f.path(pid, "environ"))
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00"), nil
}

// RootsNamed returns the ids of root's processes with a name: any user may give a process any name.
func (f FS) RootsNamed(name string) []int {
	return slices.DeleteFunc(f.Named(name), func(pid int) bool { return !f.Roots(pid) })
}

// EnvironOf returns the environment of the first of root's processes with a name whose environment
// may be read.
func (f FS) EnvironOf(name string) (environ []string, ok bool) {
	for _, pid := range f.RootsNamed(name) {
		if environ, err := f.Environ(pid); err == nil {
			return environ, true
		}
	}
	return nil, false
}

// Roots reports whether a process is root's: its real and its effective user are 0 (proc(5),
// status). The owner of /proc/PID is not asked: it is root where a process dropped its rights.
func (f FS) Roots(pid int) bool { return f.OwnedBy(pid, 0) }

// OwnedBy reports whether a process's real and effective user are this one, as Roots does.
func (f FS) OwnedBy(pid int, uid uint32) bool {
	text, _ := os.ReadFile(f.path(pid, "status"))
	_, rest, _ := strings.Cut(string(text), "\nUid:")
	line, _, _ := strings.Cut(rest, "\n")
	words, id := strings.Fields(line), strconv.FormatUint(uint64(uid), 10)
	return len(words) == 4 && words[0] == id && words[1] == id
}

// Lookup returns the value of a variable in an environment, "" if it has none.
func Lookup(environ []string, name string) string {
	for _, entry := range environ {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// Getenv returns Lookup in an environment, as os.Expand wants it.
func Getenv(environ []string) func(string) string {
	return func(name string) string { return Lookup(environ, name) }
}

// PIDNamespace names the process id namespace of a process, "" if it cannot be read.
func (f FS) PIDNamespace(pid int) string {
	name, _ := os.Readlink(f.path(pid, "ns/pid"))
	return name
}

// BootID returns the id of this boot: process ids and start times of another boot mean nothing.
func (f FS) BootID() (string, error) {
	text, err := os.ReadFile(string(f) + "/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("cannot read the boot's id: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// Service returns the systemd service that a process belongs to by its control group, "" if it
// belongs to none.
func (f FS) Service(pid int) string {
	text, err := os.ReadFile(f.path(pid, "cgroup"))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if unit := filepath.Base(strings.TrimSpace(line)); strings.HasSuffix(unit, ".service") {
			return unit
		}
	}
	return ""
}

// Pending reports whether one of the signals has been sent to a process as a whole and is not
// delivered yet, because all threads block it.
func (f FS) Pending(pid int, signals ...syscall.Signal) bool {
	text, _ := os.ReadFile(f.path(pid, "status"))
	_, rest, _ := strings.Cut(string(text), "\nShdPnd:")
	mask, _, _ := strings.Cut(rest, "\n")
	pending, err := strconv.ParseUint(strings.TrimSpace(mask), 16, 64)
	if err != nil {
		return false
	}
	for _, s := range signals {
		if pending&(1<<(s-1)) != 0 {
			return true
		}
	}
	return false
}

// Times says how long a process has run, and how long it was ready to run without a processor, as
// the scheduler counts them.
type Times struct{ Ran, Waited time.Duration }

// Schedule sums up the times of all threads of a process. Those of a process that is gone are 0.
func (f FS) Schedule(pid int) Times {
	var sum Times
	tasks, _ := filepath.Glob(f.path(pid, "task/*/schedstat"))
	for _, task := range tasks {
		text, _ := os.ReadFile(task)
		if words := strings.Fields(string(text)); len(words) >= 2 {
			ran, _ := strconv.ParseInt(words[0], 10, 64)
			waited, _ := strconv.ParseInt(words[1], 10, 64)
			sum.Ran += time.Duration(ran)
			sum.Waited += time.Duration(waited)
		}
	}
	return sum
}

// Effort is what a process has done, apart from its use of processors.
type Effort struct {
	// Sleeps counts how often a thread has gone to sleep by itself, to wait for something.
	Sleeps uint64
	// System is the time that it has spent in the kernel.
	System time.Duration
	// Uninterruptible is whether a thread waits for something that nothing interrupts, such as a
	// disk.
	Uninterruptible bool
}

// Effort sums up what all threads of a process have done. That of a process that is gone is none.
func (f FS) Effort(pid int) Effort {
	var sum Effort
	if s, err := f.Stat(pid); err == nil {
		sum.System = s.System
	}
	tasks, _ := filepath.Glob(f.path(pid, "task/*/status"))
	for _, task := range tasks {
		text, _ := os.ReadFile(task)
		for line := range strings.Lines(string(text)) {
			switch name, value, _ := strings.Cut(line, ":"); name {
			case "State":
				sum.Uninterruptible = sum.Uninterruptible || strings.HasPrefix(strings.TrimSpace(value), "D")
			case "voluntary_ctxt_switches":
				n, _ := strconv.ParseUint(strings.TrimSpace(value), 10, 64)
				sum.Sleeps += n
			}
		}
	}
	return sum
}

// Descriptors returns how many files a process has open.
func (f FS) Descriptors(pid int) (int, error) {
	dir, err := os.Open(f.path(pid, "fd"))
	if err != nil {
		return 0, err
	}
	defer func() { _ = dir.Close() }()
	names, err := dir.Readdirnames(-1)
	return len(names), err
}

// Open returns the open files of a process: paths, and "socket:[INODE]" for sockets.
func (f FS) Open(pid int) ([]string, error) {
	dir := f.path(pid, "fd")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	targets := make([]string, 0, len(entries))
	for _, e := range entries {
		if target, err := os.Readlink(dir + "/" + e.Name()); err == nil { // otherwise it was closed meanwhile
			targets = append(targets, target)
		}
	}
	return targets, nil
}

// SocketInodes returns the inodes of the sockets that a process has open.
func (f FS) SocketInodes(pid int) (map[uint64]bool, error) {
	targets, err := f.Open(pid)
	if err != nil {
		return nil, err
	}
	inodes := map[uint64]bool{}
	for _, target := range targets {
		if word, ok := strings.CutPrefix(target, "socket:["); ok {
			if n, err := strconv.ParseUint(strings.TrimSuffix(word, "]"), 10, 64); err == nil {
				inodes[n] = true
			}
		}
	}
	return inodes, nil
}

// OpenFiles returns the soft and the hard limit of a process's open files.
func (f FS) OpenFiles(pid int) (soft, hard int, err error) {
	path := f.path(pid, "limits")
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		rest, ok := strings.CutPrefix(line, "Max open files")
		if words := strings.Fields(rest); ok && len(words) >= 2 {
			if soft, err = strconv.Atoi(words[0]); err == nil {
				hard, err = strconv.Atoi(
					words[1]) // never "unlimited": the kernel's most is a number (fs.nr_open)
			}
			return soft, hard, err
		}
	}
	return 0, 0, fmt.Errorf("%s says nothing about open files", path)
}

// Sysctl returns a kernel parameter such as net.ipv4.ip_nonlocal_bind, "" if this kernel does not
// have it.
func (f FS) Sysctl(name string) string {
	text, err := os.ReadFile(string(f) + "/sys/" + strings.ReplaceAll(name, ".", "/"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH)
}
