package lab_test

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/lab"
)

// machine is what a lab might leave on the machine for all to see.
type machine struct {
	links, netns, routes []string
	forwarding           string
}

func machineState(t *testing.T) machine {
	t.Helper()
	var m machine
	links, err := netlink.LinkList()
	require.NoError(t, err)
	for _, l := range links {
		m.links = append(m.links, l.Attrs().Name)
	}
	routes, err := netlink.RouteList(nil, netlink.FAMILY_ALL)
	require.NoError(t, err)
	for _, r := range routes {
		m.routes = append(m.routes, r.String())
	}
	entries, _ := os.ReadDir("/run/netns") // not there: there are none
	for _, e := range entries {
		m.netns = append(m.netns, e.Name())
	}
	forwarding, err := os.ReadFile("/proc/sys/net/ipv4/ip_forward")
	require.NoError(t, err)
	m.forwarding = string(forwarding)
	return m
}

// traces are the network namespaces of one lab, by which its processes are known.
type traces struct {
	name  string
	netns map[string]bool // net:[inode]
}

func tracesOf(t *testing.T, name string) traces {
	t.Helper()
	tr := traces{name: name, netns: map[string]bool{}}
	paths, err := filepath.Glob(filepath.Join(lab.Root, name, "net", "*"))
	require.NoError(t, err)
	for _, path := range paths {
		var st unix.Stat_t
		if unix.Stat(path, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFREG {
			tr.netns["net:["+itoa(st.Ino)+"]"] = true
		}
	}
	return tr
}

func itoa(n uint64) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

func (tr traces) requireNone(t *testing.T) {
	t.Helper()
	for _, path := range []string{filepath.Join(lab.Root, tr.name), filepath.Join(lab.Root, tr.name) + ".lock"} {
		_, err := os.Lstat(path)
		require.ErrorIs(t, err, fs.ErrNotExist, path)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	require.NotContains(t, string(mounts), filepath.Join(lab.Root, tr.name)+"/")
	require.NotContains(t, string(mounts), filepath.Join(lab.Root, tr.name)+" ")
	procs, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(t, err)
	for _, p := range procs {
		if ns, err := os.Readlink(p + "/ns/net"); err == nil {
			cmdline, _ := os.ReadFile(p + "/cmdline") // ended meanwhile: empty
			require.False(t, tr.netns[ns], "%s still runs: %s", p, strings.ReplaceAll(string(cmdline), "\x00", " "))
		}
	}
}

// TestDownAfterUpWasKilled kills the program that makes a lab at many points of its work, and requires that Down clears everything.
func TestDownAfterUpWasKilled(t *testing.T) {
	needs.Root(t)
	const name = "killed"
	require.NoError(t, lab.Down(t.Context(), name))
	before := machineState(t)
	self, err := os.Executable()
	require.NoError(t, err)
	// Each state is one that exists only for a moment: the kill comes as soon as it is seen.
	dir := filepath.Join(lab.Root, name)
	exists := func(parts ...string) func() bool {
		return func() bool {
			_, err := os.Stat(filepath.Join(append([]string{dir}, parts...)...))
			return err == nil
		}
	}
	for _, point := range []struct {
		name    string
		reached func() bool
	}{
		{"lock", func() bool { _, err := os.Stat(dir + ".lock"); return err == nil }},
		{"state directory", exists()},
		{"tmpfs", exists("net")},
		{"description", exists("lab.json")},
		{"switches", exists("net", "fabric")},
		{"router", exists("net", "cloud")},
		{"cloud", exists("cloud.sock")},
		{"first node's network", exists("net", "lb-1")},
		{"first node's disk", exists("nodes", "lb-1", "upper")},
		{"last node's disk", exists("nodes", "client", "upper")},
		{"a node's process", exists("nodes", "lb-3", "pid")},
		{"cluster", exists("nodes", "lb-1", "upper", "etc", "corosync", "corosync.conf")},
	} {
		t.Run(point.name, func(t *testing.T) {
			up := exec.Command(self)
			up.Env = append(os.Environ(), upEnv+"="+name)
			up.Stdout, up.Stderr = os.Stderr, os.Stderr
			require.NoError(t, up.Start())
			for deadline := time.Now().Add(20 * time.Second); !point.reached(); {
				require.True(t, time.Now().Before(deadline), "never got there")
			}
			require.NoError(t, up.Process.Kill())
			require.Error(t, up.Wait(), "it was done before it was killed")
			tr := tracesOf(t, name)
			require.NoError(t, lab.Down(t.Context(), name))
			tr.requireNone(t)
		})
	}
	require.Equal(t, before, machineState(t))
}

// TestUpThatIsGivenUp cancels Up, which then leaves nothing either.
func TestUpThatIsGivenUp(t *testing.T) {
	needs.Root(t)
	const name = "given-up"
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err := lab.Up(ctx, lab.Options{Name: name, Nodes: 1, Apps: 1})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	tracesOf(t, name).requireNone(t)
}

func TestUpRefusesWhatCannotBe(t *testing.T) {
	needs.Root(t)
	for want, o := range map[string]lab.Options{
		"1 to 32":          {Nodes: 33},
		"at least 30ms":    {Totem: corosync.Timing{Token: 100 * time.Millisecond}},
		"lower-case":       {Name: "../etc"},
		"the overlay":      {Overlay: "/no/such/directory"},
		"is not a directo": {Overlay: "/etc/passwd"},
	} {
		_, err := lab.Up(t.Context(), o)
		require.ErrorContains(t, err, want)
	}
}
