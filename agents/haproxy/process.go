package haproxy

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/internal/procfs"
)

// process identifies a process for as long as this machine runs: its id is used again after it ended, its id together with its
// start time is not.
type process struct {
	PID int `json:"pid"`
	// Start is when it started, in clock ticks since boot.
	Start uint64 `json:"start"`
	// Exe is its executable. It stays the same path when a package is upgraded under the running process.
	Exe string `json:"exe"`
}

// familyVariable has the instance's directory in the environment of HAProxy, and so of whatever HAProxy starts.
const familyVariable = "HAWSER_INSTANCE"

// environOf are the variables that a HAProxy was started with for its configuration. Those of HAPROXY_ are its own.
func environOf(pid int) []string {
	all, err := procfs.Default.Environ(pid)
	if err != nil {
		return nil
	}
	var env []string
	for _, entry := range all {
		name, _, ok := strings.Cut(entry, "=")
		if ok && name != "PATH" && name != familyVariable && !strings.HasPrefix(name, "HAPROXY_") {
			env = append(env, entry)
		}
	}
	return env
}

// member is a process of the instance.
type member struct {
	process
	stat procfs.Stat
	args []string
}

// family are the processes of the instance that are alive.
type family struct {
	masters []member
	// others are workers, old workers, and a HAProxy that is still starting.
	others []member
}

func (f family) all() []member { return slices.Concat(f.masters, f.others) }
func (f family) empty() bool   { return len(f.masters)+len(f.others) == 0 }

// workersOf are the members whose parent is the master.
func (f family) workersOf(master int) []member {
	var workers []member
	for _, m := range f.others {
		if m.stat.Parent == master {
			workers = append(workers, m)
		}
	}
	return workers
}

// find goes through all processes for those whose command line has the instance's master socket. It needs no file that could
// have been deleted. A zombie has no command line and is not found: nothing of it can hold an address. That there is nobody is
// believed only when it is seen twice: a process can fork after the list was made and end before its turn comes.
func (a *agent) find(f files) (family, error) {
	fam, err := a.scan(f)
	if err != nil || !fam.empty() {
		return fam, err
	}
	return a.scan(f)
}

func (a *agent) scan(f files) (family, error) {
	pids, err := procfs.Default.PIDs()
	if err != nil {
		return family{}, err
	}
	var fam family
	for _, pid := range pids {
		m, ok := a.member(f, pid)
		switch {
		case !ok:
		case m.stat.Session == m.PID: // -D makes the master, and only it, the leader of a session
			fam.masters = append(fam.masters, m)
		default:
			fam.others = append(fam.others, m)
		}
	}
	return fam, nil
}

// orphans are processes that HAProxy started and that outlived it: those of `program` sections, and external checks. The master ends
// them when it ends, but not when it is killed, and then they would hold what those of the next HAProxy need. They are known
// by what the agent had put into HAProxy's environment. HAProxy's own HAPROXY_MASTER_CLI (Management Guide, section 3) would not do: 3.1
// and later do not give it to programs.
func (a *agent) orphans(f files) (family, error) {
	pids, err := procfs.Default.PIDs()
	if err != nil {
		return family{}, err
	}
	var fam family
	for _, pid := range pids {
		env, err := procfs.Default.Environ(pid)
		if err != nil || procfs.Lookup(env, familyVariable) != f.Dir ||
			procfs.Default.PIDNamespace(pid) != procfs.Default.PIDNamespace(os.Getpid()) {
			continue
		}
		if v, err := procfs.Default.Stat(pid); err == nil && !v.Dead() && pid != os.Getpid() {
			fam.others = append(fam.others, member{process{pid, v.Start, procfs.Default.Executable(pid)}, v, nil})
		}
	}
	return fam, nil
}

// member is whether a process is of this instance.
func (a *agent) member(f files, pid int) (member, bool) {
	args := procfs.Default.Args(pid)
	// In the middle of an execve a process has a program but no command line yet, and HAProxy's master executes itself anew at
	// each start and reload. (A zombie and a thread of the kernel have neither.)
	for tries := 0; len(args) == 0 && tries < 200 && a.isHAProxy(procfs.Default.Executable(pid)); tries++ {
		time.Sleep(time.Millisecond)
		args = procfs.Default.Args(pid)
	}
	if !slices.Contains(args, f.masterArg()) {
		return member{}, false
	}
	exe := procfs.Default.Executable(pid)
	if !a.isHAProxy(exe) {
		return member{}, false // an editor, a tracer …
	}
	// A container on this machine may have the same path in a file system of its own.
	if procfs.Default.PIDNamespace(pid) != procfs.Default.PIDNamespace(os.Getpid()) {
		return member{}, false
	}
	v, err := procfs.Default.Stat(pid)
	if err != nil || v.Dead() {
		return member{}, false
	}
	return member{process{pid, v.Start, exe}, v, args}, true
}

// isHAProxy is whether an executable is a HAProxy: the one of the parameter, or one by its name, since the parameter may have
// changed or be wrong when a stop comes.
func (a *agent) isHAProxy(exe string) bool {
	if strings.TrimRight(filepath.Base(exe), "-_.0123456789") == "haproxy" { // haproxy-2.8, but not haproxy_exporter
		return true
	}
	real, err := filepath.EvalSymlinks(a.binpath)
	return exe != "" && (exe == a.binpath || err == nil && exe == real)
}

// is whether the process is still the one that was remembered; a different executable under the same id and start time is the
// same process, executed anew, if it has the instance's socket.
func (a *agent) is(f files, p process, v procfs.Stat) bool {
	if p.PID <= 0 || v.Start != p.Start {
		return false
	}
	if v.Dead() {
		return true
	}
	return procfs.Default.Executable(p.PID) == p.Exe || slices.Contains(procfs.Default.Args(p.PID), f.masterArg())
}
