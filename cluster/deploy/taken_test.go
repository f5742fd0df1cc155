package deploy

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/preflight"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/outcome"
)

func another(name, ip string, meta ...crm.Attr) *crm.Primitive {
	return &crm.Primitive{Name: name, Class: "ocf", Provider: "heartbeat", Type: "IPaddr2",
		Params: crm.Attrs{{Name: "ip", Value: ip}}, Meta: meta}
}

// TestAddressOfAnotherResource refuses an address that another resource of the cluster holds.
func TestAddressOfAnotherResource(t *testing.T) {
	d, c := deployer()
	require.NoError(t, c.Edit(another("p_ip_web", "192.0.2.10")))
	_, err := d.Plan(t.Context(), parse(t, simple), true)
	require.ErrorContains(t, err, "hawser.yaml:3:36: 192.0.2.10 is the address of p_ip_web "+
		"(ocf:heartbeat:IPaddr2), which is in the cluster already")
	require.ErrorContains(t, err, "or stop p_ip_web first: `hawser stop p_ip_web`")
	require.Equal(t, outcome.Usage, outcome.Of(err))

	require.NoError(t, c.Edit(another("p_ip_web", "192.0.2.10",
		crm.Attr{Name: "target-role", Value: "Stopped"})))
	p, err := d.Plan(t.Context(), parse(t, simple), true)
	require.NoError(t, err)
	require.Len(t, p.Warnings, 2)
	require.Contains(t, p.Warnings[0], "hawser.yaml:3: 192.0.2.10 is the address of p_ip_web "+
		"(ocf:heartbeat:IPaddr2) too, which is kept stopped")
}

// TestAddressOfAnotherResourceMeanwhile refuses it also if it has come between plan and apply.
func TestAddressOfAnotherResourceMeanwhile(t *testing.T) {
	d, c := deployer()
	p, err := d.Plan(t.Context(), parse(t, simple), false)
	require.NoError(t, err)
	c.OnApply(func() {
		c.OnApply(nil)
		require.NoError(t, c.Edit(another("p_ip_web", "192.0.2.10")))
	})
	require.ErrorContains(t, d.Apply(t.Context(), p), "192.0.2.10 is the address of p_ip_web")
}

// TestAddressUnderAnotherName: an address may be given another name in the file.
func TestAddressUnderAnotherName(t *testing.T) {
	d, _, _ := deployed(t)
	_, err := d.Plan(t.Context(), parse(t, "fencing: off\nhaproxy: {}\nfloating_ips: [{name: VIP, "+
		"ip: 192.0.2.10, provider: lan}]\n"), false)
	require.NoError(t, err)
}

// TestAddressOfANode refuses the addresses that the nodes have as their own.
func TestAddressOfANode(t *testing.T) {
	for name, test := range map[string]struct {
		ring  string
		nics  []preflight.Interface
		err   string
		warns string
	}{
		"nobody's": {ring: "192.0.2.1", nics: []preflight.Interface{nic("eth0", "192.0.2.1")}},
		"of another node": {ring: "192.0.2.10",
			err: "192.0.2.10 is the address at which Corosync reaches lb-2"},
		"of this node's interface": {ring: "10.0.0.1",
			nics: []preflight.Interface{nic("eth1", "10.0.0.2"), nic("eth0", "192.0.2.10", "192.0.2.11")},
			err:  "192.0.2.10 is the address of eth0 on this node, lb-1"},
		"beside this node's own": {
			nics:  []preflight.Interface{nic("eth0", "192.0.2.1", "192.0.2.10")},
			warns: "192.0.2.10 is on eth0 of this node, lb-1, and the cluster has not put it there"},
		"on the loopback interface, as behind a balancer that routes": {
			nics: []preflight.Interface{{Name: "lo", Loopback: true,
				Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.10")}}}},
	} {
		t.Run(name, func(t *testing.T) {
			d, _ := deployer()
			d.Node.Live, d.Node.Name = true, "lb-1"
			d.Node.Interfaces = func() ([]preflight.Interface, error) { return test.nics, nil }
			d.Trial.Nodes = func(context.Context) ([]corosync.Member, error) {
				return []corosync.Member{{Name: "lb-2", Addresses: []string{test.ring}}}, nil
			}
			p, err := d.Plan(t.Context(), parse(t, simple), false)
			if test.err != "" {
				require.ErrorContains(t, err, "hawser.yaml:3:36: "+test.err)
				return
			}
			require.NoError(t, err)
			require.Contains(t, p.Warnings[len(p.Warnings)-1], "fencing is off")
			if test.warns == "" {
				require.Len(t, p.Warnings, 1)
				return
			}
			require.Len(t, p.Warnings, 2)
			require.Contains(t, p.Warnings[0], test.warns)
		})
	}
}

func nic(name string, addresses ...string) preflight.Interface {
	i := preflight.Interface{Name: name}
	for _, a := range addresses {
		i.Addresses = append(i.Addresses, netip.MustParseAddr(a))
	}
	return i
}

// TestAddressThatIsHereAlready: this node holds the address of the cluster.
func TestAddressThatIsHereAlready(t *testing.T) {
	d, _, _ := deployed(t)
	d.Node.Live, d.Node.Name = true, "lb-1"
	d.Node.Interfaces = func() ([]preflight.Interface, error) {
		return []preflight.Interface{nic("eth0", "192.0.2.10")}, nil
	}
	p, err := d.Plan(t.Context(), parse(t, simple), false)
	require.NoError(t, err)
	require.Len(t, p.Warnings, 1)
	require.Contains(t, p.Warnings[0], "fencing is off")
}

// TestNodesThatAreNotKnown: what could not be asked is said, and refuses nothing.
func TestNodesThatAreNotKnown(t *testing.T) {
	d, _ := deployer()
	d.Node.Live = true
	d.Node.Interfaces = func() ([]preflight.Interface, error) {
		return nil, errors.New("no netlink")
	}
	d.Trial.Nodes = func(context.Context) ([]corosync.Member, error) {
		return nil, corosync.ErrNotRunning
	}
	p, err := d.Plan(t.Context(), parse(t, simple), false)
	require.NoError(t, err)
	require.Len(t, p.Warnings, 3)
	require.Contains(t, p.Warnings[0], "was not checked: no netlink")
	require.Contains(t, p.Warnings[1], "was not checked")
}
