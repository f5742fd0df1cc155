package node_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/doctor/internal/bench"
	"github.com/hawser-ha/hawser/doctor/node"
	"github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/internal/systemd"
	"github.com/hawser-ha/hawser/internal/tokenfile"
)

const goodConfig = `global
	maxconn 3000
defaults
	mode http
	timeout client 5s
	timeout connect 5s
	timeout server 5s
frontend http
	bind 127.0.0.1:%d
`

// world is a node that lacks nothing, until a test breaks it.
type world struct {
	t *testing.T
	node.Node
	root, config, token string
	clone               string // the clone of the resource haproxy, "" for no such resource
	provider            string // of that resource
	params              string // further ones of that resource
	floatip             string // the address's parameters, "" for no such resource
	fences              string // fencing devices and properties in XML
	properties          string
	port                int
	unit                systemd.Unit
}

func newWorld(t *testing.T) *world {
	dir := t.TempDir()
	w := &world{
		t: t, clone: "haproxy-clone", provider: "hawser", root: filepath.Join(dir, "root"),
		config: filepath.Join(dir, "haproxy.cfg"), token: filepath.Join(dir, "token"),
		port: freePort(t),
	}
	for _, d := range []string{
		"etc/haproxy", "run/hawser", "usr/sbin", "sys/class/watchdog", "dev",
		"usr/lib/ocf/resource.d/hawser", "usr/lib/ocf/resource.d/heartbeat",
		"usr/lib/ocf/resource.d/digitalocean", "etc/systemd/system",
	} {
		require.NoError(t, os.MkdirAll(filepath.Join(w.root, d), 0o755))
	}
	for _, name := range []string{"haproxy", "floatip"} {
		w.write("usr/lib/ocf/resource.d/hawser/"+name, agentOf("1.0"), 0o755)
	}
	require.NoError(t,
		os.Symlink("../hawser/haproxy",
			filepath.Join(w.root, "usr/lib/ocf/resource.d/heartbeat/haproxy")))
	require.NoError(t,
		os.Symlink("../hawser/floatip",
			filepath.Join(w.root, "usr/lib/ocf/resource.d/digitalocean/floatip")))
	require.NoError(t, os.WriteFile(w.config, fmt.Appendf(nil, goodConfig, w.port), 0o600))
	require.NoError(t, os.WriteFile(w.token, []byte("dop_v1_1\n"), 0o600))
	w.Node = node.Node{
		Name: "lb-1", Version: "1.0", Root: w.root, RunDir: filepath.Join(w.root, "run/hawser"),
		CIB: func(context.Context) (*crm.CIB, error) { return crm.ParseCIB([]byte(w.cib())) },
		CheckConfig: func(ctx context.Context, h inventory.HAProxy) error {
			return haproxy.Config{Binary: h.Binary, Files: []string{h.Config}}.Check(ctx)
		},
		Unit: func(_ context.Context, name string) (systemd.Unit, error) {
			w.unit.Name = name
			return w.unit, nil
		},
		Environment: func(context.Context, inventory.HAProxy) ([]string, error) { return nil, nil },
		UnitFiles:   func(context.Context, inventory.HAProxy) (string, error) { return "", nil },
		ReadToken:   tokenfile.Read,
		Droplet:     func(context.Context, string) (string, error) { return "1001", nil },
		Rights: func(context.Context, inventory.Address) (node.Right, error) {
			return node.Granted, nil
		},
	}
	return w
}

func agentOf(version string) string {
	return fmt.Sprintf(
		"#!/bin/sh\n[ \"$1\" = meta-data ] && echo '<?xml version=\"1.0\"?><resource-agent "+
			"name=\"x\" version=\"%s\"/>'\n",
		version)
}

func (w *world) write(path, text string, mode os.FileMode) {
	w.t.Helper()
	path = filepath.Join(w.root, path)
	require.NoError(w.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(w.t, os.WriteFile(path, []byte(text), mode))
	require.NoError(w.t, os.Chmod(path, mode))
}

func (w *world) cib() string {
	floatip := ""
	if w.floatip != "" {
		floatip = `<primitive id="FloatIP" class="ocf" provider="hawser" type="floatip">` +
			`<instance_attributes id="f">` + w.floatip + `</instance_attributes></primitive>`
	}
	cloned := ""
	if w.clone != "" {
		cloned = `<clone id="` + w.clone + `">` + w.resource() + `</clone>`
	}
	return `<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9"
epoch="5" num_updates="3" admin_epoch="0"><configuration>
<crm_config><cluster_property_set id="cib-bootstrap-options">` + w.properties +
		`</cluster_property_set></crm_config><nodes/><resources>
` + cloned + floatip + w.fences + `</resources><constraints/></configuration></cib>`
}

// resource is HAProxy's.
func (w *world) resource() string {
	return `<primitive id="haproxy" class="ocf" provider="` + w.provider +
		`" type="haproxy"><instance_attributes id="i">` + nv("conffile", w.config) + w.params +
		`</instance_attributes></primitive>`
}

func nv(name, value string) string {
	return fmt.Sprintf(`<nvpair id="nv-%s" name="%s" value="%s"/>`, name, name, value)
}

// finds runs one check, in this thread.
func (w *world) finds(name string) []doctor.Finding {
	w.t.Helper()
	for _, c := range w.Checks() {
		if c.Name == name {
			found, err := c.Run(w.t.Context())
			require.NoError(w.t, err)
			for _, f := range found {
				require.Equal(w.t, "lb-1", f.Node)
				require.NotEmpty(w.t, f.Why)
				bench.Pasteable(w.t, f)
				require.False(w.t, f.Severity.Worse(c.Worst),
					"%s is declared to find %s at worst: %v", name, c.Worst, f)
			}
			return found
		}
	}
	w.t.Fatalf("there is no check %s", name)
	return nil
}

// findsOne wants one finding of the severity, with these words in its text and these in its commands.
func (w *world) findsOne(name string, severity doctor.Severity, what, fix string) {
	w.t.Helper()
	found := w.finds(name)
	require.Len(w.t, found, 1)
	require.Equal(w.t, severity, found[0].Severity)
	require.Contains(w.t, found[0].What, what)
	require.Contains(w.t, strings.Join(found[0].Remedies(), "\n"), fix)
}

func freePort(t *testing.T) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// inNetwork runs a function in a network namespace of its own, with its own kernel parameters.
func inNetwork(t *testing.T, f func()) {
	t.Helper()
	needs.Root(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for ever: the thread ends with the goroutine
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			t.Errorf("unshare: %v", err)
			return
		}
		if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
			return
		}
		f()
	}()
	<-done
}

func sysctl(t *testing.T, name, value string) {
	t.Helper()
	require.NoError(t,
		os.WriteFile("/proc/sys/"+strings.ReplaceAll(name, ".", "/"), []byte(value), 0))
}
