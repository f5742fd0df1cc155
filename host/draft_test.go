package host

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/draft"
	"github.com/hawser-ha/hawser/cluster/preflight"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/sbd"
)

// drafting is a machine with all that a draft asks for.
func drafting(t *testing.T, statements string) (*Host, *crmtest.Fake) {
	t.Helper()
	cluster := crmtest.New("lb-1", "lb-2")
	script, err := crm.ParseShell("test", []byte(statements))
	require.NoError(t, err)
	require.NoError(t, cluster.Edit(script.Objects...))
	dir := t.TempDir()
	conf := filepath.Join(dir, "corosync.conf")
	require.NoError(t, os.WriteFile(conf, []byte(`nodelist {
    node {
        ring0_addr: 10.0.0.1
        name: lb-1
    }
    node {
        ring0_addr: 10.0.0.2
        name: lb-2
    }
}
quorum {
    device {
        model: net
        net {
            host: qnetd.example.org
        }
    }
}
`), 0o600))
	return &Host{
		Cluster: cluster, Running: true, Node: "lb-1", Root: true, CorosyncConf: conf,
		CheckHAProxy: func(context.Context, preflight.HAProxy) error { return nil },
		SBD: func() (sbd.Daemon, error) {
			return sbd.Daemon{Running: true, Word: "10s", Timeout: 10 * time.Second}, nil
		},
		Networks: func() ([]draft.Interface, error) {
			return []draft.Interface{{Name: "eth0", Prefixes: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/24")}}}, nil
		},
		Droplet: func(context.Context) (draft.Droplet, error) { return draft.Droplet{ID: "1001"}, nil },
	}, cluster
}

func haproxyCfg(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "haproxy.cfg")
	require.NoError(t, os.WriteFile(path, []byte("listen x\n\tbind 192.0.2.10:80\n"), 0o600))
	return path
}

// Each thing is asked where it is known.
func TestDraft(t *testing.T) {
	h, _ := drafting(t, "property stonith-enabled=true\nprimitive haproxy systemd:haproxy\n"+
		"primitive VIP ocf:heartbeat:IPaddr2 params ip=192.0.2.10\nprimitive f stonith:fence_ipmilan\n")
	f := h.Draft(t.Context(), haproxyCfg(t))
	require.Empty(t, f.NotSeen)
	require.Equal(t, []draft.Member{{Name: "lb-1", Links: []netip.Addr{netip.MustParseAddr("10.0.0.1")}},
		{Name: "lb-2", Links: []netip.Addr{netip.MustParseAddr("10.0.0.2")}}}, f.Cluster.Members)
	require.Equal(t, "qnetd.example.org", f.Cluster.Device)
	require.Equal(t, draft.Setup{Maker: draft.ByHand, HAProxies: []string{"haproxy (systemd:haproxy)"}}, f.Cluster.Setup)
	require.Equal(t, map[netip.Addr]string{netip.MustParseAddr("192.0.2.10"): "VIP"}, f.Cluster.Holders)
	require.Equal(t, draft.Fencing{Devices: []string{"f (stonith:fence_ipmilan)"}, SBD: true, Timeout: 10 * time.Second}, f.Cluster.Fencing)
	require.Equal(t, "1001", f.Droplet.ID)
	require.Len(t, f.HAProxy.Sources, 1)
	_, err := draft.Of(f)
	require.NoError(t, err)
}

// What cannot be looked at is said, and keeps nothing else from being found.
func TestDraftWithoutMuch(t *testing.T) {
	h, cluster := drafting(t, "property stonith-enabled=false\n")
	h.Root = false
	cluster.Fail("Query", crm.ErrPermission)
	cluster.Fail("Configuration", crm.ErrPermission)
	h.SBD = func() (sbd.Daemon, error) { return sbd.Daemon{}, errors.New("no proc") }
	h.Networks = func() ([]draft.Interface, error) { return nil, errors.New("no netlink") }
	h.CheckHAProxy = func(context.Context, preflight.HAProxy) error { return errors.New("HAProxy refuses it") }
	require.NoError(t, os.WriteFile(h.CorosyncConf, []byte("totem {"), 0o600))
	f := h.Draft(t.Context(), haproxyCfg(t))
	require.Len(t, f.NotSeen, 4, "%q", f.NotSeen)
	require.Contains(t, f.NotSeen[1], "The cluster was not asked (permission denied; as root it would be seen)")
	require.Contains(t, f.HAProxy.Complaint, "HAProxy refuses it (asked as an ordinary user")
	require.Equal(t, draft.Unknown, f.Cluster.Setup.Maker)
	d, err := draft.Of(f)
	require.NoError(t, err)
	require.Contains(t, string(d.YAML), "192.0.2.10")

	h.CorosyncConf = filepath.Join(t.TempDir(), "none")
	f = h.Draft(t.Context(), filepath.Join(t.TempDir(), "none"))
	require.Nil(t, f.HAProxy.Sources)
}

// What does not answer keeps nobody waiting for longer than its time.
func TestDraftDoesNotHang(t *testing.T) {
	h, _ := drafting(t, "property stonith-enabled=false\n")
	fifo := filepath.Join(t.TempDir(), "haproxy.cfg")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	h.Droplet = func(ctx context.Context) (draft.Droplet, error) {
		<-ctx.Done()
		return draft.Droplet{ID: "1001"}, ctx.Err()
	}
	h.SBD = func() (sbd.Daemon, error) { <-never; return sbd.Daemon{}, nil }
	f := h.Draft(t.Context(), fifo)
	require.Len(t, f.NotSeen, 3, "%q", f.NotSeen)
	require.Contains(t, f.NotSeen[1], "This machine is the droplet 1001, and its metadata service was of no help")
	require.Contains(t, f.NotSeen[2], "Whether SBD runs on this node is not known: no answer within 3s")
	require.Contains(t, f.NotSeen[0], fifo+" cannot be read (no answer within 3s)")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h.Draft(ctx, fifo) // Ctrl-C
}
