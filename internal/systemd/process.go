package systemd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// Unchanged returns settings that leave a process as it is.
func Unchanged() *Settings { return &Settings{Keep: true} }

// Apply gives the settings to this process, for the program that it executes next. Dispensable
// settings that fail are reported and skipped; the error says that the program would have rights
// that the unit removes. Some settings belong to a thread: the caller executes the program on this
// thread, which is locked.
func (s Settings) Apply() (problems []error, err error) {
	runtime.LockOSThread()
	if s.Keep {
		return nil, nil
	}
	try := func(what string, err error) {
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", what, err))
		}
	}
	try("OOMScoreAdjust="+strconv.Itoa(s.OOMScoreAdjust),
		os.WriteFile("/proc/self/oom_score_adj", []byte(strconv.Itoa(s.OOMScoreAdjust)), 0))
	try("Nice="+strconv.Itoa(s.Nice), unix.Setpriority(unix.PRIO_PROCESS, 0, s.Nice))
	unix.Umask(int(s.UMask))
	if len(s.CPUAffinity) > 0 {
		var set unix.CPUSet
		for i := range len(s.CPUAffinity) * 8 {
			if s.CPUAffinity[i/8]&(1<<(i%8)) != 0 {
				set.Set(i)
			}
		}
		try("CPUAffinity=", unix.SchedSetaffinity(0, &set))
	}
	if len(s.Binds) > 0 {
		try("BindPaths=", s.bind())
	}
	for name, limit := range s.Limits {
		try(name, limit.set(limitNames[name]))
	}
	if err := dropAllBut(s.Bounding); err != nil {
		return problems, fmt.Errorf("CapabilityBoundingSet=: %w", err)
	}
	if s.NoNewPrivileges {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return problems, fmt.Errorf("NoNewPrivileges=: %w", err)
		}
	}
	return problems, nil
}

// set sets a limit, or as much of it as this process may have (CAP_SYS_RESOURCE is needed to raise
// the hard one), which is what systemd does.
func (l Limit) set(resource int) error {
	var now unix.Rlimit
	if err := unix.Getrlimit(resource, &now); err != nil {
		return err
	}
	err := unix.Setrlimit(resource, &unix.Rlimit{Cur: l.Soft, Max: l.Hard})
	if !errors.Is(err, unix.EPERM) {
		return err
	}
	return errors.Join(
		fmt.Errorf("the hard limit stays %d instead of %d: %w", now.Max, l.Hard, err),
		unix.Setrlimit(resource, &unix.Rlimit{
			Cur: min(l.Soft, now.Max), Max: min(l.Hard, now.Max),
		}))
}

// bind makes the unit's bind mounts, which only this process and its children see. New mounts of
// the machine still appear.
func (s Settings) bind() error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("unshare: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return fmt.Errorf("make mounts one-way: %w", err)
	}
	var errs []error
	for _, b := range s.Binds {
		if err := b.mount(); err != nil && (!b.Optional || !errors.Is(err, os.ErrNotExist)) {
			errs = append(errs, fmt.Errorf("%s on %s: %w", b.From, b.To, err))
		}
	}
	return errors.Join(errs...)
}

func (b Bind) mount() error {
	source, err := os.Stat(b.From)
	if err != nil {
		return err
	}
	if _, err := os.Stat(b.To); errors.Is(err, os.ErrNotExist) { // as systemd does
		dir := b.To
		if !source.IsDir() {
			dir = filepath.Dir(b.To)
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if !source.IsDir() {
			if err := os.WriteFile(b.To, nil, 0o444); err != nil {
				return err
			}
		}
	}
	flags := uintptr(unix.MS_BIND)
	if b.Recursive {
		flags |= unix.MS_REC
	}
	if err := unix.Mount(b.From, b.To, "", flags, ""); err != nil {
		return err
	}
	if !b.ReadOnly {
		return nil
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(b.To, &fs); err != nil {
		return err
	}
	kept := uintptr(fs.Flags) & (unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC)
	return unix.Mount("", b.To, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY|kept, "")
}

// dropAllBut removes capabilities from those that a program executed from here can have
// (capabilities(7), capability bounding set).
func dropAllBut(keep uint64) error {
	for c := range 64 {
		has, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(c), 0, 0, 0)
		if errors.Is(err, unix.EINVAL) { // the kernel has no more of them
			break
		}
		if err != nil {
			return err
		}
		if has == 1 && keep&(1<<c) == 0 {
			if err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(c), 0, 0, 0); err != nil {
				return fmt.Errorf("capability %d: %w", c, err)
			}
		}
	}
	return nil
}
