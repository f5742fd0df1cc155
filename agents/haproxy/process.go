package haproxy

import (
	"bytes"
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

// process identifies a process for as long as this machine runs: its id is used again after it ended, its id together with its
// start time is not.
type process struct {
	PID int `json:"pid"`
	// Start is when it started, in clock ticks since boot (proc(5), /proc/pid/stat, field 22).
	Start uint64 `json:"start"`
	// Exe is its executable. It stays the same path when a package is upgraded under the running process.
	Exe string `json:"exe"`
}

// vitals are what /proc/pid/stat says.
type vitals struct {
	state           byte // R, S, D, Z, T, t …
	parent, session int
	start           uint64
}

// errGone is a process that is no longer there.
var errGone = errors.New("no such process")

// look reads a process's vitals.
func look(pid int) (vitals, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return vitals{}, errGone
	}
	if err != nil {
		return vitals{}, err
	}
	v, err := parseVitals(text)
	if err != nil {
		return vitals{}, fmt.Errorf("/proc/%d/stat: %w", pid, err)
	}
	return v, nil
}

// parseVitals reads the fields behind the command's name, which may itself hold spaces and parentheses.
func parseVitals(text []byte) (vitals, error) {
	end := bytes.LastIndexByte(text, ')')
	fields := strings.Fields(string(text[end+1:]))
	const state, parent, session, start = 0, 1, 3, 19 // fields 3, 4, 6 and 22
	if end < 0 || len(fields) <= start || len(fields[state]) != 1 {
		return vitals{}, fmt.Errorf("too few fields in %q", text)
	}
	v := vitals{state: fields[state][0]}
	var errs [3]error
	v.parent, errs[0] = strconv.Atoi(fields[parent])
	v.session, errs[1] = strconv.Atoi(fields[session])
	v.start, errs[2] = strconv.ParseUint(fields[start], 10, 64)
	return v, errors.Join(errs[:]...)
}

// dead is whether the process has ended and only its parent has yet to notice.
func (v vitals) dead() bool { return v.state == 'Z' || v.state == 'X' || v.state == 'x' }

// stopped is whether the process was sent SIGSTOP. One that a debugger holds is not: strace does it for moments all the time.
func (v vitals) stopped() bool { return v.state == 'T' }

// executable is a process's program, without the mark of a file that has been replaced.
func executable(pid int) string {
	path, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/exe")
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(path, " (deleted)")
}

// namespace is the process id namespace that a process belongs to.
func namespace(pid int) string {
	name, _ := os.Readlink("/proc/" + strconv.Itoa(pid) + "/ns/pid")
	return name
}

// commandLine is a process's arguments, nil for one that ended or is a thread of the kernel.
func commandLine(pid int) []string {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	if err != nil || len(text) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
}

// familyVariable has the instance's directory in the environment of HAProxy, and so of whatever HAProxy starts.
const familyVariable = "HAWSER_INSTANCE"

// environOf are the variables that a HAProxy was started with for its configuration. Those of HAPROXY_ are its own.
func environOf(pid int) []string {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return nil
	}
	var env []string
	for entry := range strings.SplitSeq(string(text), "\x00") {
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
	vitals
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
		if m.parent == master {
			workers = append(workers, m)
		}
	}
	return workers
}

// allPIDs are the processes that there are.
func allPIDs() ([]int, error) {
	dir, err := os.Open("/proc")
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
	pids, err := allPIDs()
	if err != nil {
		return family{}, err
	}
	var fam family
	for _, pid := range pids {
		m, ok := a.member(f, pid)
		switch {
		case !ok:
		case m.session == m.PID: // -D makes the master, and only it, the leader of a session
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
	pids, err := allPIDs()
	if err != nil {
		return family{}, err
	}
	var fam family
	for _, pid := range pids {
		text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
		if err != nil || lookup(strings.Split(string(text), "\x00"), familyVariable) != f.Dir ||
			namespace(pid) != namespace(os.Getpid()) {
			continue
		}
		if v, err := look(pid); err == nil && !v.dead() && pid != os.Getpid() {
			fam.others = append(fam.others, member{process{pid, v.start, executable(pid)}, v, nil})
		}
	}
	return fam, nil
}

// member is whether a process is of this instance.
func (a *agent) member(f files, pid int) (member, bool) {
	args := commandLine(pid)
	// In the middle of an execve a process has a program but no command line yet, and HAProxy's master executes itself anew at
	// each start and reload. (A zombie and a thread of the kernel have neither.)
	for tries := 0; len(args) == 0 && tries < 200 && a.isHAProxy(executable(pid)); tries++ {
		time.Sleep(time.Millisecond)
		args = commandLine(pid)
	}
	if !slices.Contains(args, f.masterArg()) {
		return member{}, false
	}
	exe := executable(pid)
	if !a.isHAProxy(exe) {
		return member{}, false // an editor, a tracer …
	}
	// A container on this machine may have the same path in a file system of its own.
	if namespace(pid) != namespace(os.Getpid()) {
		return member{}, false
	}
	v, err := look(pid)
	if err != nil || v.dead() {
		return member{}, false
	}
	return member{process{pid, v.start, exe}, v, args}, true
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
func (a *agent) is(f files, p process, v vitals) bool {
	if p.PID <= 0 || v.start != p.Start {
		return false
	}
	if v.dead() {
		return true
	}
	return executable(p.PID) == p.Exe || slices.Contains(commandLine(p.PID), f.masterArg())
}
