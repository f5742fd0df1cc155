package report

import (
	"bufio"
	"fmt"
	"hash/fnv"
	"os"
	"regexp"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Machine is what a figure depends on.
type Machine struct {
	ID       string    `json:"id"` // made of the other facts
	CPU      string    `json:"cpu"`
	Cores    int       `json:"cores"`
	Memory   string    `json:"memory"`
	Kernel   string    `json:"kernel"`
	System   string    `json:"system"`
	Go       string    `json:"go"`
	Versions []Version `json:"versions"`
}

// Version is that of one installed package.
type Version struct {
	Package string `json:"package"`
	Version string `json:"version"`
}

// stamp says where and when a row was made.
type stamp struct {
	run, commit, command string
	date                 time.Time
	machine              Machine
}

// runEnv names the variable with what distinguishes one call of make from another.
const runEnv = "HAWSER_BENCH_RUN"

func stampOf(benchmark string) (stamp, error) {
	s := stamp{date: time.Now().UTC().Truncate(time.Second), run: os.Getenv(runEnv)}
	if s.run == "" {
		s.run = fmt.Sprintf("process %d", os.Getpid())
	}
	top, sub, nested := strings.Cut(benchmark, "/")
	s.command = "make bench BENCH='^" + regexp.QuoteMeta(top) + "$"
	if nested {
		s.command += "/^" + regexp.QuoteMeta(sub) + "$"
	}
	s.command += "'"
	var err error
	if s.commit, err = commit(); err != nil {
		return s, err
	}
	s.machine, err = thisMachine()
	return s, err
}

// packages lists the packages whose versions are recorded.
func packages() []string {
	return []string{
		"corosync", "pacemaker", "haproxy", "keepalived", "crmsh", "pcs", "resource-agents",
		"nginx-light",
	}
}

func thisMachine() (Machine, error) {
	m := Machine{Cores: runtime.NumCPU(), Go: runtime.Version()}
	m.CPU = field("/proc/cpuinfo", "model name", ":")
	m.Memory = field("/proc/meminfo", "MemTotal", ":")
	m.System = strings.Trim(field("/etc/os-release", "PRETTY_NAME", "="), `"`)
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return m, err
	}
	m.Kernel = unix.ByteSliceToString(name.Release[:])
	var err error
	if m.Versions, err = installed(packages()); err != nil {
		return m, err
	}
	sum := fnv.New32a()
	_, _ = fmt.Fprint(sum, m)
	m.ID = fmt.Sprintf("%08x", sum.Sum32())
	return m, nil
}

// field returns the value of a name in a file of names and values, "unknown" if it is not there.
func field(path, name, separator string) string {
	f, err := os.Open(path)
	if err != nil {
		return "unknown"
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if key, value, ok := strings.Cut(lines.Text(), separator); ok &&
			strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
