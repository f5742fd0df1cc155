package instance

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/internal/procfs"
)

// Process identifies a process for as long as this machine runs: its id is reused after it ended,
// its id together with its start time is not.
type Process struct {
	PID int `json:"pid"`
	// Start is when it started, in clock ticks since boot.
	Start uint64 `json:"start"`
	// Exe is its executable. The path stays the same when a package is upgraded while the process
	// runs.
	Exe string `json:"exe"`
}

// FamilyVariable holds the instance's directory in the environment of HAProxy, and so of whatever
// HAProxy starts.
const FamilyVariable = "HAWSER_INSTANCE"

// environOf returns the variables that a HAProxy was started with for its configuration. Those of
// HAPROXY_ are its own.
func environOf(pid int) []string {
	all, err := procfs.Default.Environ(pid)
	if err != nil {
		return nil
	}
	var env []string
	for _, entry := range all {
		name, _, ok := strings.Cut(entry, "=")
		if ok && name != "PATH" && name != FamilyVariable && !strings.HasPrefix(name, "HAPROXY_") {
			env = append(env, entry)
		}
	}
	return env
}

// Member is a process of the instance.
type Member struct {
	Process
	Stat procfs.Stat
	Args []string
}

// Family are the processes of the instance that are alive.
type Family struct {
	Masters []Member
	// Others are workers, old workers, and a HAProxy that is still starting.
	Others []Member
}

// All returns masters and others.
func (f Family) All() []Member { return slices.Concat(f.Masters, f.Others) }

func (f Family) pids() []int {
	var pids []int
	for _, m := range f.All() {
		pids = append(pids, m.PID)
	}
	return pids
}

// Empty reports whether no process is alive.
func (f Family) Empty() bool { return len(f.Masters)+len(f.Others) == 0 }

// WorkersOf returns the members whose parent is the master.
func (f Family) WorkersOf(master int) []Member {
	var workers []Member
	for _, m := range f.Others {
		if m.Stat.Parent == master {
			workers = append(workers, m)
		}
	}
	return workers
}

// Find searches all processes for the instance's master socket in their command line. It needs no
// file that could be missing. A zombie has no command line and is not found: it cannot hold an
// address. Nobody found is believed only the second time: a process can fork after the list was
// made and end before its turn comes.
func (in *Instance) Find() (Family, error) {
	fam, err := in.scan()
	if err != nil || !fam.Empty() {
		return fam, err
	}
	return in.scan()
}

func (in *Instance) scan() (Family, error) {
	pids, err := procfs.Default.PIDs()
	if err != nil {
		return Family{}, err
	}
	var fam Family
	for _, pid := range pids {
		m, ok := in.member(pid)
		switch {
		case !ok:
		case m.Stat.Session == m.PID: // -D makes the master, and only it, the leader of a session
			fam.Masters = append(fam.Masters, m)
		default:
			fam.Others = append(fam.Others, m)
		}
	}
	return fam, nil
}

// findLeft returns what is left of HAProxy: its processes, or where it has none its orphans.
func (in *Instance) findLeft() (Family, error) {
	fam, err := in.Find()
	if err != nil || !fam.Empty() {
		return fam, err
	}
	return in.orphans()
}

// orphans returns processes that HAProxy started and that outlived it: those of `program` sections,
// and external checks. The master ends them when it ends, but not when it is killed, and then they
// would hold what those of the next HAProxy need. They are recognised by a variable that the agent
// puts into HAProxy's environment; HAProxy's own HAPROXY_MASTER_CLI (Management Guide, section 3)
// would not do, since 3.1 and later do not pass it to programs.
func (in *Instance) orphans() (Family, error) {
	pids, err := procfs.Default.PIDs()
	if err != nil {
		return Family{}, err
	}
	var fam Family
	for _, pid := range pids {
		env, err := procfs.Default.Environ(pid)
		if err != nil || procfs.Lookup(env, FamilyVariable) != in.Dir ||
			procfs.Default.PIDNamespace(pid) != procfs.Default.PIDNamespace(os.Getpid()) {
			continue
		}
		if v, err := procfs.Default.Stat(pid); err == nil && !v.Dead() && pid != os.Getpid() {
			fam.Others = append(fam.Others,
				Member{Process{pid, v.Start, procfs.Default.Executable(pid)}, v, nil})
		}
	}
	return fam, nil
}

// member returns the process as a member, if it belongs to this instance.
func (in *Instance) member(pid int) (Member, bool) {
	args := procfs.Default.Args(pid)
	// During an execve a process has a program but no command line yet, and HAProxy's master
	// executes itself at each start and reload. (A zombie and a kernel thread have neither.)
	for tries := 0; len(args) == 0 && tries < 200 &&
		in.isHAProxy(procfs.Default.Executable(pid)); tries++ {
		time.Sleep(time.Millisecond)
		args = procfs.Default.Args(pid)
	}
	if !slices.Contains(args, in.MasterArg()) {
		return Member{}, false
	}
	exe := procfs.Default.Executable(pid)
	if !in.isHAProxy(exe) {
		return Member{}, false // an editor, a tracer …
	}
	// A container on this machine may have the same path in a file system of its own.
	if procfs.Default.PIDNamespace(pid) != procfs.Default.PIDNamespace(os.Getpid()) {
		return Member{}, false
	}
	v, err := procfs.Default.Stat(pid)
	if err != nil || v.Dead() {
		return Member{}, false
	}
	return Member{Process{pid, v.Start, exe}, v, args}, true
}

// isHAProxy reports whether an executable is HAProxy: that of the parameter, or one of that name,
// since the parameter may have changed or be wrong when a stop comes.
func (in *Instance) isHAProxy(exe string) bool {
	// haproxy-2.8, but not haproxy_exporter
	if strings.TrimRight(filepath.Base(exe), "-_.0123456789") == "haproxy" {
		return true
	}
	real, err := filepath.EvalSymlinks(in.Binpath)
	return exe != "" && (exe == in.Binpath || err == nil && exe == real)
}

// is reports whether the process is still the remembered one. Another executable under the same id
// and start time is the same process, executed again, if it has the instance's socket.
func (in *Instance) is(p Process, v procfs.Stat) bool {
	if p.PID <= 0 || v.Start != p.Start {
		return false
	}
	if v.Dead() {
		return true
	}
	return procfs.Default.Executable(p.PID) == p.Exe ||
		slices.Contains(procfs.Default.Args(p.PID), in.MasterArg())
}
