package lab

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/corosync/corosynctest"
	"github.com/hawser-ha/hawser/internal/golden"
	"github.com/hawser-ha/hawser/internal/needs"
)

// TestGenerated compares what nodes are delivered with to files that are kept, and has the program
// of each check it. It makes no lab.
func TestGenerated(t *testing.T) {
	for _, balancers := range []int{1, 2, 3} {
		conf, err := Options{Nodes: balancers}.Generate("corosync.conf", "lb-1")
		require.NoError(t, err)
		golden.Equal(t, fmt.Sprintf("corosync-%d.conf", balancers), conf)
		corosynctest.Accepts(t, conf, "lb-1")
	}

	cfg, err := Options{}.Generate("haproxy.cfg", "lb-2")
	require.NoError(t, err)
	golden.Equal(t, "haproxy.cfg", cfg)
	haproxy := exec.CommandContext(
		t.Context(),
		needs.Command(t, "haproxy"),
		"-c",
		"-f",
		kept(t, "haproxy.cfg"),
	)
	haproxy.Env = append(os.Environ(), "HAWSER_ANCHOR_IP=10.17.0.12")
	out, err := haproxy.CombinedOutput()
	require.NoError(t, err, "haproxy -c: %s", out)

	conf, err := Options{}.Generate("nginx.conf", "app-1")
	require.NoError(t, err)
	golden.Equal(t, "nginx.conf", conf)
	needs.Root(t) // nginx -t listens: it wants the address, and writes its logs
	nginx := exec.CommandContext(t.Context(), "unshare", "--net", "--mount", "sh", "-ec", `
		ip link set lo up; ip address add 10.132.0.101/16 dev lo
		mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /var/log; mkdir /var/log/nginx
		exec "$1" -t -c "$2"`, "sh", needs.Command(t, "nginx"), kept(t, "nginx.conf"))
	out, err = nginx.CombinedOutput()
	require.NoError(t, err, "nginx -t: %s", out)
}

// kept returns the absolute path of a file in testdata.
func kept(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", name))
	require.NoError(t, err)
	return path
}

func TestGenerateRefuses(t *testing.T) {
	for want, c := range map[string]struct {
		o          Options
		file, node string
	}{
		"no node \"lb-4\"": {Options{}, "haproxy.cfg", "lb-4"},
		"nginx.conf of lb-1: a balancer has corosync.conf and haproxy.cfg": {Options{}, "nginx.conf", "lb-1"},
		"haproxy.cfg of app-1": {Options{}, "haproxy.cfg", "app-1"},
		"there can be 1 to 32": {Options{Nodes: 33}, "haproxy.cfg", "lb-1"},
	} {
		_, err := c.o.Generate(c.file, c.node)
		require.ErrorContains(t, err, want)
	}
}
