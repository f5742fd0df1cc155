package inventory

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
)

func TestIPOf(t *testing.T) {
	for _, test := range []struct{ class, provider, typ, param, value, want string }{
		{"ocf", "hawser", "floatip", "ip", "203.0.113.10", "203.0.113.10"},
		{"ocf", "digitalocean", "floatip", "floating_ip", "203.0.113.10", "203.0.113.10"},
		{"ocf", "heartbeat", "IPaddr2", "ip", "2001:DB8:0::1", "2001:db8::1"},
		{"ocf", "heartbeat", "IPaddr", "ip", "192.0.2.1", "192.0.2.1"},
		{"ocf", "heartbeat", "IPv6addr", "ipv6addr", "2001:db8::1/64", "2001:db8::1"},
		{"ocf", "heartbeat", "awseip", "elastic_ip", "192.0.2.1", "192.0.2.1"},
		{"ocf", "heartbeat", "awsvip", "secondary_private_ip", "192.0.2.1", "192.0.2.1"},
		// An address in another agent's parameters is one that it uses, not one that it holds.
		{"ocf", "heartbeat", "portblock", "ip", "192.0.2.1", ""},
		{"ocf", "heartbeat", "IPsrcaddr", "ipaddress", "192.0.2.1", ""},
		{"ocf", "heartbeat", "IPaddr2", "ip", "a name", ""},
		{"ocf", "heartbeat", "IPaddr2", "nic", "eth0", ""},
	} {
		p := &crm.Primitive{Name: "x", Class: test.class, Provider: test.provider, Type: test.typ,
			Params: crm.Attrs{{Name: test.param, Value: test.value}}}
		ip, ok := IPOf(p)
		require.Equal(t, test.want != "", ok, "%+v", test)
		if ok {
			require.Equal(t, netip.MustParseAddr(test.want), ip)
		}
	}
}

func TestKeptStopped(t *testing.T) {
	stopped := crm.Attrs{{Name: "target-role", Value: "stopped"}}
	objects := []crm.Object{
		&crm.Primitive{Name: "own", Meta: stopped}, &crm.Primitive{Name: "member"},
		&crm.Primitive{Name: "runs", Meta: crm.Attrs{{Name: "target-role", Value: "Started"}}},
		&crm.Group{Name: "group", Members: []string{"member"}, Meta: stopped},
	}
	for id, want := range map[string]bool{"own": true, "member": true, "runs": false} {
		require.Equal(t, want, KeptStopped(objects, id), id)
	}
}
