package family

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/internal/procfs"
)

// Finder looks for the processes of one HAProxy. It needs no file that could be missing.
type Finder struct {
	// Word is the argument that the command line of each of them has.
	Word string
	// Dir is a directory that only root can write, in which HAProxy's own sockets are bound.
	Dir string
	// Program is HAProxy's path. Any program called haproxy is looked at as well: the parameter may
	// have changed or be wrong when a stop comes.
	Program string
	// Variable is the entry of the environment that HAProxy, and whatever it starts, was started
	// with.
	Variable string
	// Master is the process id that the master is remembered by, which may have ended; 0 for none.
	Master int
	// InScope reports whether a process is in HAProxy's control group. It may be nil.
	InScope func(pid int) bool
}

const (
	// readTime is how long the environment of one process may take to read: the kernel waits for a
	// process whose memory is being read in from a disk, which may be gone.
	readTime = 500 * time.Millisecond
	// argsTime is how long the arguments of all of root's HAProxies together may take, on a machine
	// that is busy. What is not known then is decided by other facts.
	argsTime = 2 * time.Second
	// execTime is how long all of root's HAProxies together may take to execute themselves.
	execTime = 200 * time.Millisecond
)

// Find returns the family. A zombie is not found: it cannot hold an address. Nobody found is
// believed only the second time: a process can fork after the list was made and end before its turn
// comes.
func (f Finder) Find() (Family, error) {
	fam, err := f.scan()
	if err != nil || !fam.Empty() {
		return fam, err
	}
	return f.scan()
}

// Left returns what is left of HAProxy: its processes, or, where it has none, its orphans.
func (f Finder) Left() (Family, error) {
	fam, err := f.Find()
	if err != nil || !fam.Empty() {
		return fam, err
	}
	return f.orphans()
}

// Lookalikes returns processes that look like members and are not: anybody can start such a one.
func (f Finder) Lookalikes() []int {
	fam, err := f.Find()
	if err != nil {
		return nil
	}
	all, _ := f.haproxies()
	until := time.Now().Add(readTime)
	var pids []int
	for _, m := range all {
		if fam.Has(m.PID) || time.Now().After(until) {
			continue
		}
		if args, ok := Soon(func() []string { return procfs.Default.Args(m.PID) }); ok &&
			slices.Contains(args, f.Word) {
			pids = append(pids, m.PID)
		}
	}
	return pids
}

// haproxies returns everybody's processes whose program is HAProxy, without their arguments.
func (f Finder) haproxies() ([]Member, error) {
	pids, err := procfs.Default.PIDs()
	if err != nil {
		return nil, err
	}
	is, here := f.isHAProxy(), procfs.Default.PIDNamespace(os.Getpid())
	var all []Member
	for _, pid := range pids {
		exe := procfs.Default.Executable(pid)
		if !is(exe) {
			continue // an editor, a tracer …
		}
		v, err := procfs.Default.Stat(pid)
		// A container on this machine may have the same path in a file system of its own.
		if err != nil || v.Dead() || procfs.Default.PIDNamespace(pid) != here {
			continue
		}
		all = append(all, Member{Process{pid, v.Start, exe}, v, nil})
	}
	return all, nil
}

func (f Finder) scan() (Family, error) {
	all, err := f.haproxies()
	if err != nil {
		return Family{}, err
	}
	var fam Family
	var others []Member // not root's
	now := time.Now()
	exec, slow := now.Add(execTime), now.Add(argsTime)
	for _, m := range all {
		if !procfs.Default.Roots(m.PID) {
			others = append(others, m)
			continue
		}
		switch args, known := argsOf(m.PID, exec, slow); {
		case known && !slices.Contains(args, f.Word):
		case !known && m.PID != f.Master && !f.related(m, nil):
		case m.Stat.Session == m.PID: // -D makes the master, and only it, the leader of a session
			m.Args = args
			fam.Masters = append(fam.Masters, m)
		default:
			m.Args = args
			fam.Others = append(fam.Others, m)
		}
	}
	ours := f.sockets()
	for _, m := range others {
		orphan := len(fam.Masters) == 0 && has(m.PID, ours)
		if !orphan && !f.related(m, fam.Masters) {
			continue
		}
		args, known := argsOf(m.PID, now, slow)
		if known && !slices.Contains(args, f.Word) {
			continue // an HAProxy that a `program` section runs
		}
		m.Args = args
		fam.Others = append(fam.Others, m)
	}
	return fam, nil
}

// related reports whether a process comes from one of the masters, or from the remembered one, by
// what only root could have brought about.
func (f Finder) related(m Member, masters []Member) bool {
	for _, master := range masters {
		if m.Stat.Parent == master.PID || m.Stat.Session == master.PID {
			return true
		}
	}
	return f.inSession(m.Stat) || f.InScope != nil && f.InScope(m.PID)
}

// inSession reports whether a process is in the session of the remembered master. The kernel gives
// its number to nobody else as long as the session has a member; afterwards anybody may get it.
func (f Finder) inSession(v procfs.Stat) bool {
	if f.Master <= 0 || v.Session != f.Master {
		return false
	}
	_, err := procfs.Default.Stat(f.Master)
	return err != nil || procfs.Default.Roots(f.Master)
}

// argsOf returns a process's arguments, false if they are not known: they could not be read until the
// time slow. During an execve a process has a program but no arguments yet, and HAProxy's master
// executes itself at each start and reload; that is waited for until the time exec.
func argsOf(pid int, exec, slow time.Time) (args []string, known bool) {
	for {
		args, known = Soon(func() []string { return procfs.Default.Args(pid) })
		now := time.Now()
		if len(args) > 0 || known && now.After(exec) || !known && now.After(slow) {
			return args, known
		}
		if _, err := procfs.Default.Stat(pid); err != nil {
			return nil, true
		}
		time.Sleep(time.Millisecond)
	}
}

// isHAProxy returns a function that reports whether an executable is HAProxy.
func (f Finder) isHAProxy() func(exe string) bool {
	real, _ := Soon(func() string {
		path, _ := filepath.EvalSymlinks(f.Program)
		return path
	})
	return func(exe string) bool {
		// haproxy-2.8, but not haproxy_exporter
		return strings.TrimRight(filepath.Base(exe), "-_.0123456789") == "haproxy" ||
			exe != "" && (exe == f.Program || exe == real)
	}
}

// IsHAProxy reports whether an executable is HAProxy, anybody's.
func (f Finder) IsHAProxy(exe string) bool { return f.isHAProxy()(exe) }

// Is reports whether a process, as it is now, is the one that was remembered. Another executable
// under the same id and start time is the same process, executed again, if it has the word.
func (f Finder) Is(p Process, v procfs.Stat) bool {
	if p.PID <= 0 || v.Start != p.Start {
		return false
	}
	if v.Dead() || procfs.Default.Executable(p.PID) == p.Exe {
		return true
	}
	args, known := Soon(func() []string { return procfs.Default.Args(p.PID) })
	return !known || slices.Contains(args, f.Word)
}

// orphans returns processes that HAProxy started and that outlived it: those of `program` sections,
// and external checks. The master ends them when it ends, but not when it is killed, and then they
// would hold what those of the next HAProxy need. They are in HAProxy's control group, or have the
// variable and are root's or in the master's session. HAProxy's own HAPROXY_MASTER_CLI (Management
// Guide, section 3) would not do, since 3.1 and later do not pass it to programs.
func (f Finder) orphans() (Family, error) {
	pids, err := procfs.Default.PIDs()
	if err != nil {
		return Family{}, err
	}
	here := procfs.Default.PIDNamespace(os.Getpid())
	var fam Family
	for _, pid := range pids {
		v, err := procfs.Default.Stat(pid)
		if err != nil || v.Dead() || pid == os.Getpid() {
			continue
		}
		exe := procfs.Default.Executable(pid)
		if exe == "" || procfs.Default.PIDNamespace(pid) != here {
			continue // a thread of the kernel
		}
		if f.InScope != nil && f.InScope(pid) ||
			(f.inSession(v) || procfs.Default.Roots(pid)) && f.marked(pid) {
			fam.Others = append(fam.Others, Member{Process{pid, v.Start, exe}, v, nil})
		}
	}
	return fam, nil
}

// marked reports whether a process was started with the variable.
func (f Finder) marked(pid int) bool {
	env, ok := Soon(func() []string {
		env, _ := procfs.Default.Environ(pid)
		return env
	})
	return ok && slices.Contains(env, f.Variable)
}

// Soon returns the result of a function that may hang, false if it does for readTime.
func Soon[T any](do func() T) (T, bool) {
	done := make(chan T, 1)
	go func() { done <- do() }()
	late := time.NewTimer(readTime)
	defer late.Stop()
	select {
	case result := <-done:
		return result, true
	case <-late.C:
		var none T
		return none, false
	}
}
