package inventory_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// cibOf is a configuration with these resources and constraints.
func cibOf(t *testing.T, resources string) *crm.CIB {
	t.Helper()
	cib, err := crm.ParseCIB(
		[]byte(
			`<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9"
epoch="5" num_updates="3" admin_epoch="0"><configuration>
<crm_config/><nodes/><resources>` + resources + `</resources><constraints/></configuration></cib>`,
		),
	)
	require.NoError(t, err)
	return cib
}

// ocf is a primitive with parameters, "name=value" each.
func ocf(id, provider, kind string, params ...[2]string) string {
	text := fmt.Sprintf(
		`<primitive id="%s" class="ocf" provider="%s" type="%s"><instance_attributes id="%s-p">`,
		id,
		provider,
		kind,
		id,
	)
	for _, p := range params {
		text += fmt.Sprintf(`<nvpair id="%s-%s" name="%s" value="%s"/>`, id, p[0], p[0], p[1])
	}
	return text + `</instance_attributes></primitive>`
}

// What a resource is goes by its agent, the same for everybody who asks.
func TestKinds(t *testing.T) {
	const ours, haproxy, floatip, address = "IsHAProxy", "RunsHAProxy", "IsFloatIP", "IsAddress"
	kinds := map[string]func(string) bool{
		ours:    inventory.IsHAProxy,
		haproxy: inventory.RunsHAProxy,
		floatip: inventory.IsFloatIP,
		address: inventory.IsAddress,
	}
	for agent, is := range map[string][]string{
		"ocf:hawser:haproxy":       {ours, haproxy},
		"ocf:heartbeat:haproxy":    {ours, haproxy},
		"ocf:acme:haproxy":         {haproxy},
		"systemd:haproxy":          {haproxy},
		"systemd:haproxy.service":  {haproxy},
		"service:haproxy":          {haproxy},
		"lsb:haproxy":              {haproxy},
		"stonith:haproxy":          {},
		"systemd:haproxy-exporter": {},
		"ocf:hawser:floatip":       {floatip, address},
		"ocf:digitalocean:floatip": {floatip, address},
		"ocf:acme:floatip":         {},
		"ocf:heartbeat:floatip":    {},
		"ocf:heartbeat:IPaddr2":    {address},
		"ocf:heartbeat:awsvip":     {address},
		"ocf:acme:IPaddr2":         {},
		"ocf:heartbeat:nginx":      {},
		"":                         {},
	} {
		var got []string
		for name, kind := range kinds {
			if kind(agent) {
				got = append(got, name)
			}
		}
		require.ElementsMatch(t, is, got, agent)
	}
}

func TestAddressesHeldTwice(t *testing.T) {
	cib := cibOf(
		t,
		ocf(
			"cloud",
			"hawser",
			"floatip",
			[2]string{"provider", "digitalocean"},
		)+ocf(
			"default",
			"hawser",
			"floatip",
		)+
			ocf(
				"lan",
				"digitalocean",
				"floatip",
				[2]string{"provider", "lan"},
			)+ocf(
			"vip",
			"heartbeat",
			"IPaddr2",
		)+ocf(
			"aws",
			"heartbeat",
			"awseip",
		)+ocf(
			"web",
			"hawser",
			"haproxy",
		),
	)
	require.Equal(
		t,
		[]string{"lan", "vip"},
		inventory.Names(inventory.AddressesHeldTwice(cib.Effective())),
	)
}

func TestHAProxyOf(t *testing.T) {
	all := inventory.Primitives(
		cibOf(t, ocf("web", "hawser", "haproxy")+ocf(
			"old",
			"heartbeat",
			"haproxy",
			[2]string{"conffile", "/srv/lb.cfg"},
			[2]string{"binpath", "/opt/haproxy"},
			[2]string{
				"extraconf",
				"-f /srv/more -m 512",
			},
			[2]string{"unit", "none"},
			[2]string{"anchor_ip", "10.0.0.1"},
		)).Effective(),
		inventory.IsHAProxy,
	)
	require.Len(t, all, 2)
	h, err := inventory.HAProxyOf(all[1])
	require.NoError(t, err)
	require.Equal(
		t,
		inventory.HAProxy{
			Resource: "web",
			Binary:   "/usr/sbin/haproxy",
			Config:   "/etc/haproxy/haproxy.cfg",
			Unit:     "haproxy.service",
		},
		h,
	)
	h, err = inventory.HAProxyOf(all[0])
	require.NoError(t, err)
	require.Equal(
		t,
		inventory.HAProxy{
			Resource:  "old",
			Binary:    "/opt/haproxy",
			Config:    "/srv/lb.cfg",
			ExtraConf: "-f /srv/more -m 512",
			Extra:     []string{"-f", "/srv/more", "-m", "512"},
			Unit:      "none",
			AnchorIP:  "10.0.0.1",
		},
		h,
	)

	cib := cibOf(t, ocf("web", "hawser", "haproxy", [2]string{"extraconf", "'-f"}))
	_, err = inventory.Read(cib)
	require.ErrorContains(t, err, "extraconf of web")
}

func TestFind(t *testing.T) {
	none := cibOf(t, ocf("vip", "heartbeat", "IPaddr2")+ocf("other", "acme", "haproxy"))
	one := cibOf(
		t,
		`<clone id="web-clone">`+ocf(
			"web",
			"hawser",
			"haproxy",
		)+`</clone>`+ocf(
			"vip",
			"heartbeat",
			"IPaddr2",
		),
	)
	two := cibOf(
		t,
		ocf(
			"web",
			"hawser",
			"haproxy",
		)+`<clone id="all"><group id="both">`+ocf(
			"mail",
			"heartbeat",
			"haproxy",
		)+`</group></clone>`,
	)
	for _, c := range []struct {
		cib        *crm.CIB
		name, want string
		says       string
	}{
		{one, "", "web", ""},
		{one, "web", "web", ""},
		{one, "web-clone", "web", ""},
		{two, "both", "mail", ""},
		{two, "all", "mail", ""},
		{one, "vip", "", "vip is no HAProxy of the cluster's configuration; it has web"},
		{none, "other", "", "other is no HAProxy of the cluster's configuration; it has none"},
		{one, "nope", "", "there is no HAProxy nope in the cluster's configuration; it has web"},
		{none, "", "", "the cluster's configuration has no HAProxy: `hawser apply` sets one up"},
		{two, "", "", "reload which HAProxy? The cluster has mail, web"},
	} {
		p, err := inventory.Find(c.cib, c.name)
		if c.says != "" {
			require.EqualError(t, err, c.says)
			require.Equal(t, outcome.Usage, outcome.Of(err))
			continue
		}
		require.NoError(t, err, c.name)
		require.Equal(t, c.want, p.Name)
	}
}

func TestAddress(t *testing.T) {
	cib := cibOf(
		t,
		ocf(
			"FloatIP",
			"hawser",
			"floatip",
			[2]string{"ip", "203.0.113.10"},
			[2]string{"token_file", "/etc/hawser/token"},
		)+
			ocf(
				"old",
				"digitalocean",
				"floatip",
				[2]string{"floating_ip", "203.0.113.11"},
				[2]string{"do_token", "dop_v1_secret"},
			)+
			ocf(
				"hidden",
				"hawser",
				"floatip",
				[2]string{"ip", "203.0.113.12"},
				[2]string{"token", "lrm://"},
			)+
			ocf(
				"lan",
				"hawser",
				"floatip",
				[2]string{"ip", "192.0.2.9"},
				[2]string{"provider", "lan"},
			)+ocf(
			"vip",
			"heartbeat",
			"IPaddr2",
		),
	)
	for name, want := range map[string]inventory.Address{
		"FloatIP": {IP: "203.0.113.10", Provider: "digitalocean", TokenFile: "/etc/hawser/token"},
		"old": {
			IP: "203.0.113.11", Provider: "digitalocean", TokenInCIB: true, Token: "dop_v1_secret",
		},
		"hidden": {
			IP: "203.0.113.12", Provider: "digitalocean",
			SecretFile: "/var/lib/pacemaker/lrm/secrets/hidden/token",
		},
		"lan": {IP: "192.0.2.9", Provider: "lan"},
	} {
		a, err := inventory.FindAddress(cib, name)
		require.NoError(t, err)
		p := a.WithTokenFile()
		file, _ := p.Params.Get("token_file")
		require.Equal(t, "/etc/hawser/token", file)
		for _, gone := range []string{"token", "do_token"} {
			_, there := p.Params.Get(gone)
			require.False(t, there, name)
		}
		want.Resource = name
		require.Equal(t, want.IP, a.IP)
		require.Equal(
			t,
			[]any{
				want.Resource,
				want.Provider,
				want.TokenFile,
				want.TokenInCIB,
				want.Token,
				want.SecretFile,
			},
			[]any{a.Resource, a.Provider, a.TokenFile, a.TokenInCIB, a.Token, a.SecretFile},
		)
	}
	_, err := inventory.FindAddress(cib, "vip")
	require.ErrorContains(t, err,
		"vip is no floating IP in the cluster's configuration; it has FloatIP (")
	require.ErrorContains(t, err, ", lan (192.0.2.9), old (203.0.113.11)")
	for _, spelling := range []string{"lan", "192.0.2.9", "::ffff:192.0.2.9"} {
		a, err := inventory.FindAddress(cib, spelling)
		require.NoError(t, err)
		require.Equal(t, "lan", a.Resource, spelling)
	}
	_, err = inventory.FindAddress(cib, "192.0.2.77")
	require.ErrorContains(t, err, "there is no floating IP 192.0.2.77 in the cluster's configuration")
	_, err = inventory.FindAddress(cibOf(t, ""), "FloatIP")
	require.EqualError(
		t,
		err,
		"there is no floating IP FloatIP in the cluster's configuration; it has none",
	)
	_, ok := inventory.AddressNamed(nil, "FloatIP")
	require.False(t, ok)
}

// What a group starts before HAProxy is on the node before it.
func TestAddressesOfAGroup(t *testing.T) {
	group := func(meta string) *crm.CIB {
		return cibOf(
			t,
			`<group id="web">`+meta+ocf(
				"vip",
				"heartbeat",
				"IPaddr2",
				[2]string{"ip", "192.0.2.9"},
			)+ocf(
				"lb",
				"hawser",
				"haproxy",
			)+
				ocf(
					"late",
					"hawser",
					"floatip",
					[2]string{"ip", "192.0.2.10"},
				)+`</group>`,
		)
	}
	d, err := inventory.Read(group(""))
	require.NoError(t, err)
	require.Equal(t, []netip.Addr{netip.MustParseAddr("192.0.2.9")}, d.HAProxies[0].After)
	d, err = inventory.Read(
		group(
			`<meta_attributes id="m"><nvpair id="m-o" name="ordered" value="false"/>` +
				`</meta_attributes>`,
		),
	)
	require.NoError(t, err)
	require.Empty(t, d.HAProxies[0].After)
}

func TestListeners(t *testing.T) {
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	require.NoError(
		t,
		os.WriteFile(
			file,
			[]byte(
				"frontend http\n\tbind :80\n\tbind [::]:81\n\tbind [::]:82 v6only\n\tbind "+
					"\"${HAWSER_ANCHOR_IP}:443\"\n",
			),
			0o600,
		),
	)
	d, err := inventory.Read(
		cibOf(
			t,
			ocf(
				"web",
				"hawser",
				"haproxy",
				[2]string{"conffile", file},
			)+ocf(
				"other",
				"acme",
				"haproxy",
				[2]string{"conffile", "/nonexistent"},
			),
		),
	)
	require.NoError(t, err)
	listeners, err := d.Listeners()
	require.NoError(t, err)
	both := map[string]bool{}
	for _, l := range listeners {
		require.Equal(t, file, l.Place)
		both[l.At.String()] = l.Both
	}
	require.Equal(
		t,
		map[string]bool{
			"0.0.0.0:80":  false,
			"[::]:81":     true,
			"[::]:82":     false,
			"0.0.0.0:443": false,
		},
		both,
	)
	d.HAProxies[0].Config += ".none"
	_, err = d.Listeners()
	require.Error(t, err)
}
