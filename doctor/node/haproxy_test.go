package node_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/internal/systemd"
)

func TestUnit(t *testing.T) {
	w := newWorld(t)
	require.Empty(t, w.finds("haproxy-unit"))
	for _, u := range []systemd.Unit{
		{File: "enabled", Active: "inactive"}, {File: "disabled", Active: "active"},
		{File: "enabled", Active: "activating"},
	} {
		w.unit = u
		w.findsOne("haproxy-unit", doctor.Error, "haproxy.service",
			"systemctl disable --now haproxy.service")
	}
	w.params = nv("unit", "rh-haproxy.service")
	w.Unit = func(_ context.Context, name string) (systemd.Unit, error) {
		if name == "rh-haproxy.service" {
			return systemd.Unit{Name: name, File: "enabled"}, nil
		}
		return systemd.Unit{Name: name}, nil
	}
	w.findsOne("haproxy-unit", doctor.Error, "rh-haproxy.service is enabled",
		"systemctl disable --now rh-haproxy.service")
	w = newWorld(t)
	w.unit = systemd.Unit{File: "masked", Active: "inactive"}
	require.Empty(t, w.finds("haproxy-unit"))
}

func TestFilesOfTheUnit(t *testing.T) {
	w := newWorld(t)
	require.Empty(t, w.finds("haproxy-files"))
	w.UnitFiles = func(_ context.Context, h inventory.HAProxy) (string, error) {
		require.Equal(t, w.config, h.Config)
		return "haproxy.service has HAProxy read /etc/haproxy/conf.d too", nil
	}
	w.findsOne("haproxy-files", doctor.Warning, "conf.d", "")
}

// Where systemd does not run, its links say what it would start.
func TestUnitThatIsEnabled(t *testing.T) {
	needs.Root(t)
	w := newWorld(t)
	w.Unit = systemd.Find
	const run = "/run/systemd" // says that systemd runs this machine, where it does
	const wants = "/etc/systemd/system"
	inMounts(t, func() {
		if systemd.Booted() {
			require.NoError(t, unix.Mount("tmpfs", run, "tmpfs", 0, ""))
		}
		require.NoError(t, unix.Mount("tmpfs", wants, "tmpfs", 0, ""))
		require.Empty(t, w.finds("haproxy-unit"))
		require.NoError(t, os.MkdirAll(wants+"/multi-user.target.wants", 0o755))
		require.NoError(t,
			os.Symlink("/lib/systemd/system/haproxy.service",
				wants+"/multi-user.target.wants/haproxy.service"))
		w.findsOne("haproxy-unit", doctor.Error, "haproxy.service is enabled",
			"systemctl disable --now haproxy.service")
	})
}

// inMounts runs a function with mounts of its own.
func inMounts(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for ever: the thread ends with the goroutine
		if err := errors.Join(unix.Unshare(unix.CLONE_NEWNS|unix.CLONE_FS),
			unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")); err != nil {
			t.Errorf("unshare: %v", err)
			return
		}
		f()
	}()
	<-done
}

func TestConfigurationThatHAProxyRefuses(t *testing.T) {
	needs.Command(t, "haproxy")
	w := newWorld(t)
	require.NoError(t, os.WriteFile(w.config, []byte("frontend x\n\tbnid :80\n"), 0o600))
	w.findsOne("haproxy-config", doctor.Error, "unknown keyword 'bnid'",
		"haproxy -W -c -f "+w.config)
	require.NoError(t, os.Remove(w.config))
	require.Len(t, w.finds("haproxy-config"), 1)

	// A HAProxy that did not come to an answer has not refused anything.
	for _, err := range []error{
		context.DeadlineExceeded, &os.SyscallError{Syscall: "fork/exec", Err: syscall.EAGAIN},
	} {
		w.CheckConfig = func(context.Context, inventory.HAProxy) error {
			return fmt.Errorf(
				"haproxy did not finish: %w", err)
		}
		r := doctor.Run(t.Context(), w.Checks())
		for _, f := range r.Findings {
			if f.Check == "haproxy-config" {
				require.Equal(t, doctor.Unknown, f.Severity, "%+v", f)
			}
		}
		require.Contains(t, fmt.Sprint(r.Findings), "haproxy did not finish")
	}
}

func TestAddressThatCannotBeBound(t *testing.T) {
	w := newWorld(t)
	bind := func(addr string) {
		require.NoError(t,
			os.WriteFile(w.config, []byte("frontend http\n\tbind "+addr+"\n"), 0o600))
	}
	inNetwork(t, func() {
		require.Empty(t, w.finds("haproxy-bind"))
		bind("192.0.2.1:80")
		w.findsOne("haproxy-bind", doctor.Error, "no interface of this node has that address",
			"sysctl -w net.ipv4.ip_nonlocal_bind=1")
		w.floatip = nv("ip", "192.0.2.1") + nv("token_file", w.token)
		w.findsOne("haproxy-bind", doctor.Error, "arrives at the anchor address",
			`sed -i '2s/192.0.2.1:80/"${HAWSER_ANCHOR_IP}:80"/' `+w.config)
		// The command does what it says.
		fix := w.finds("haproxy-bind")[0].Fix[0]
		require.NoError(t, exec.Command("sh", "-c", fix).Run())
		w.Environment = func(context.Context, inventory.HAProxy) ([]string, error) {
			return []string{"HAWSER_ANCHOR_IP=127.0.0.1"}, nil
		}
		require.Empty(t, w.finds("haproxy-bind"))

		// An address of a LAN that is here: HAProxy could not be started on the node that is to
		// take it over.
		bind("192.0.2.2:80")
		w.floatip = nv("ip", "192.0.2.2") + nv("provider", "lan")
		require.NoError(t, exec.Command("ip", "address", "add", "192.0.2.2/32", "dev", "lo").Run())
		w.findsOne("haproxy-bind", doctor.Error, "which the cluster moves from node to node",
			"sysctl -w net.ipv4.ip_nonlocal_bind=1")
		sysctl(t, "net.ipv4.ip_nonlocal_bind", "1")
		require.Empty(t, w.finds("haproxy-bind"))

		// An address of a cloud can be bound then, but nothing that is sent to it arrives there.
		w.floatip = nv("ip", "192.0.2.3") + nv("token_file", w.token)
		bind("192.0.2.3:80")
		w.findsOne("haproxy-bind", doctor.Error, "arrives at the anchor address",
			"HAWSER_ANCHOR_IP")
		sysctl(t, "net.ipv4.ip_nonlocal_bind", "0")

		// A line is reported once, however many ports it has; and so is one in a file that
		// extraconf names.
		w.floatip = ""
		bind("192.0.2.9:8000-8999")
		require.Len(t, w.finds("haproxy-bind"), 1)
		further := filepath.Join(filepath.Dir(w.config), "further.cfg")
		require.NoError(t,
			os.WriteFile(further, []byte("frontend more\n\tbind 192.0.2.8:80\n"), 0o600))
		bind("127.0.0.1:80")
		w.params = nv("extraconf", "-f "+further)
		w.findsOne("haproxy-bind", doctor.Error, "192.0.2.8:80 ("+further+":2)", "ip address show")
		w.params = ""

		// In a group the address is there before HAProxy starts.
		bind("192.0.2.9:80")
		w.fences = `<group id="g"><primitive id="VIP" class="ocf" provider="heartbeat" ` +
			`type="IPaddr2"><instance_attributes id="vi">` + nv("ip", "192.0.2.9") +
			`</instance_attributes></primitive>` +
			strings.Replace(w.resource(), `id="haproxy"`, `id="haproxy2"`, 1) + `</group>`
		w.clone = ""
		require.Empty(t, w.finds("haproxy-bind"))
		w.fences = strings.Replace(w.fences, `<group id="g">`,
			`<group id="g"><meta_attributes id="gm">`+nv("ordered", "false")+`</meta_attributes>`,
			1)
		require.Len(t, w.finds("haproxy-bind"), 1)
		w.fences, w.clone = "", "haproxy-clone"

		l, err := net.Listen("tcp4", "127.0.0.1:0")
		require.NoError(t, err)
		defer func() { _ = l.Close() }()
		bind(l.Addr().String())
		w.findsOne("haproxy-bind", doctor.Error, "which another program holds", "ss -ltnp")
	})
	w.Environment = func(context.Context, inventory.HAProxy) ([]string, error) {
		return nil, errors.New("the metadata service does not answer")
	}
	for _, c := range w.Checks() {
		if c.Name == "haproxy-bind" {
			_, err := c.Run(t.Context())
			require.ErrorContains(t, err, "the metadata service does not answer")
		}
	}
}
