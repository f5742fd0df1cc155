package node

import (
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/internal/procfs"
)

// process is a process id of this machine. The process may have ended meanwhile.
type process int

func processes() ([]process, error) {
	pids, err := procfs.Default.PIDs()
	all := make([]process, len(pids))
	for i, pid := range pids {
		all[i] = process(pid)
	}
	return all, err
}

// name returns the file name of its program.
func (p process) name() string { return procfs.Default.Program(int(p)) }

// isAgent reports whether its program is one of Pacemaker's resource agents.
func (p process) isAgent() bool {
	return strings.Contains(procfs.Default.Executable(int(p)), "/ocf/resource.d/")
}

// args returns its command line.
func (p process) args() []string { return procfs.Default.Args(int(p)) }

// parentName returns the name of its parent's program.
func (p process) parentName() string {
	s, err := procfs.Default.Stat(int(p))
	if err != nil {
		return ""
	}
	return process(s.Parent).name()
}

// opens reports whether it has the file open.
func (p process) opens(path string) bool {
	open, err := procfs.Default.Open(int(p))
	return err == nil && slices.Contains(open, path)
}
