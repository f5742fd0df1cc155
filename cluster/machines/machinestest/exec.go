package machinestest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/machines"
)

// run runs it with the machine's own files in the place of those that it names.
func (s shell) run(machine, line string, input []byte) (string, error) {
	line = strings.NewReplacer("/etc/", s.w.Path(machine, "/etc")+"/",
		"/root/", s.w.Path(machine, "/root")+"/").Replace(line)
	if missing, err := os.ReadDir(s.w.Path(machine, "/missing")); err == nil {
		for _, m := range missing { // a shell finds it nowhere
			line = "command() { [ \"$2\" != " + m.Name() + " ] && builtin command \"$@\"; }\n" + line
		}
	}
	cmd := exec.Command("/bin/bash", "-c", line)
	// A program that looks for races sleeps for a second when it ends, and the stand-ins are such programs.
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0",
		"LC_ALL=C", "MACHINE="+machine, "WORLD="+s.w.Root,
		"PATH="+filepath.Join(s.w.Root, "bin")+":"+os.Getenv("PATH")+":/usr/sbin:/sbin")
	cmd.Stdin = strings.NewReader(string(input))
	var out, complaint strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out.String(), &machines.FailedError{
			Machine: machine, Code: exit.ExitCode(), Said: complaint.String(),
		}
	}
	return out.String(), err
}

// copyAll copies what is in a directory, links as links.
func copyAll(t testing.TB, from, to string) {
	t.Helper()
	require.NoError(t, exec.Command("cp", "-a", from+"/.", to).Run())
}

// certified says whether it has the cluster's certificate.
func (h here) certified() bool {
	db := h.path("/etc/corosync/qdevice/net/nssdb")
	return exec.Command("certutil", "-L", "-d", db, "-n", "Cluster Cert").Run() == nil
}

// real is where a real tool is, "" if it is not installed.
func real(name string) string {
	for _, dir := range []string{"/usr/bin/", "/usr/sbin/"} {
		if _, err := os.Stat(dir + name); err == nil {
			return dir + name
		}
	}
	return ""
}

// script runs a real script, whose directories are fixed, with the machine's own.
func script(name string) tool {
	return func(h here, args []string) int {
		text, err := os.ReadFile(real(name))
		if err != nil {
			return h.complain("%v", err)
		}
		cmd := exec.Command("/bin/bash", append([]string{"-c",
			strings.ReplaceAll(string(text), "/etc/corosync", h.path("/etc/corosync")), name}, args...)...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = h.in, h.out, h.complaints
		if cmd.Run() != nil {
			return 1
		}
		return 0
	}
}
