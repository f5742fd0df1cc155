package instance

import (
	"os"
	"strconv"
	"strings"

	"github.com/hawser-ha/hawser/agents/haproxy/family"
	"github.com/hawser-ha/hawser/internal/procfs"
)

// Process identifies a process for as long as this machine runs.
type Process = family.Process

// Member is a process of the instance.
type Member = family.Member

// Family are the processes of the instance that are alive.
type Family = family.Family

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

// finder returns what finds the instance's processes.
func (in *Instance) finder() family.Finder {
	f := family.Finder{Word: in.MasterArg(), Dir: in.Dir, Program: in.Binpath,
		Variable: FamilyVariable + "=" + in.Dir, Master: in.rememberedMaster()}
	if in.Systemd.Booted != nil && in.Systemd.Booted() {
		f.InScope = in.Scope().Has
	}
	return f
}

// rememberedMaster returns the process id by which the master is remembered, 0 for none.
func (in *Instance) rememberedMaster() int {
	if s, ok := in.Load(); ok {
		return s.Master.PID
	}
	text, err := os.ReadFile(in.Pidfile())
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return pid
}

// Find searches all processes for those of the instance.
func (in *Instance) Find() (Family, error) { return in.finder().Find() }

// findLeft returns what is left of HAProxy: its processes, or where it has none its orphans.
func (in *Instance) findLeft() (Family, error) { return in.finder().Left() }
