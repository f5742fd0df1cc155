package reach

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/haproxy"
)

func missed(provider, ip, binds string, env ...string) []Missed {
	text := "frontend f\n"
	for b := range strings.SplitSeq(binds, "|") {
		text += "\tbind " + b + "\n"
	}
	return Unserved([]Address{{"VIP", netip.MustParseAddr(ip), provider}}, []Configuration{{
		File: "lb.cfg", Sources: []haproxy.Source{{File: "lb.cfg", Text: text}}, Env: env,
	}})
}

// An address that no bind line covers is told with what to write, for each family and kind of
// address.
func TestUnserved(t *testing.T) {
	const four, six = "198.51.100.200", "2001:db8:1::200"
	for _, c := range []struct{ provider, ip, binds, says string }{
		{contract.LAN, six, ":80", "`bind :80` is IPv4 only; `bind :::80 v4v6` listens"},
		{contract.LAN, six, "*:443 ssl crt x.pem", "`bind *:443` is IPv4 only; `bind :::443 v4v6`"},
		{contract.LAN, four, `"${HAWSER_ANCHOR_IP}:80"`,
			"`bind \"${HAWSER_ANCHOR_IP}:80\"` listens at a cloud's anchor address; `bind :::80 v4v6`"},
		{contract.LAN, six, `"${HAWSER_ANCHOR_IP}:80"`, "anchor address; `bind :::80 v4v6`"},
		{contract.LAN, four, ":::80 v6only", "`bind :::80` is IPv6 only"},
		{contract.LAN, four, "127.0.0.1:8404|198.51.100.7:8080", "`bind :::8080 v4v6`"},
		{contract.DigitalOcean, four, "198.51.100.200:81",
			"`bind \"${HAWSER_ANCHOR_IP}:81\"` listens at the anchor address"},
		{contract.DigitalOcean, six, ":80", "`bind :80` is IPv4 only; `bind :::80 v4v6`"},
		{contract.DigitalOcean, six, `"${HAWSER_ANCHOR_IP}:80"`, "`bind :::80 v4v6`"},
	} {
		found := missed(c.provider, c.ip, c.binds)
		require.Len(t, found, 1, "%+v", c)
		require.Contains(t, found[0].String(), "nobody is served at "+c.ip+" (VIP): no `bind` of lb.cfg")
		require.Contains(t, found[0].String(), c.says, "%+v", c)
	}
	require.Len(t, missed(contract.DigitalOcean, four, "10.17.0.6:80", "HAWSER_ANCHOR_IP=10.17.0.5"),
		1, "another node's anchor address")
}

// What is served, or may be, is not reported.
func TestServed(t *testing.T) {
	const four, six = "198.51.100.200", "2001:db8:1::200"
	for _, c := range [][3]string{
		{contract.LAN, four, ":80"},
		{contract.LAN, four, "127.0.0.1:8404|:80"},
		{contract.LAN, four, ":::80 v4v6"},
		{contract.LAN, four, "198.51.100.200:80"},
		{contract.LAN, six, ":::80 v4v6"},
		{contract.LAN, six, "[::]:80"},
		{contract.LAN, six, "ipv6@:80"},
		{contract.LAN, six, "[2001:db8:1::200]:80,:80"},
		{contract.LAN, four, "lb.example:80"},
		{contract.LAN, four, "fd@3"},
		{contract.LAN, six, `"${SOMETHING}:80"`},
		{contract.DigitalOcean, four, `"${HAWSER_ANCHOR_IP}:80"`},
		{contract.DigitalOcean, four, ":80"},
		{contract.DigitalOcean, four, "10.17.0.5:80"},
		{contract.DigitalOcean, six, ":::80"},
	} {
		require.Empty(t, missed(c[0], c[1], c[2]), "%v", c)
	}
	require.Empty(t, missed(contract.DigitalOcean, four, "10.17.0.5:80", "HAWSER_ANCHOR_IP=10.17.0.5"))
	require.Empty(t, missed(contract.LAN, four, `"${HAWSER_ANCHOR_IP}:80"`,
		"HAWSER_ANCHOR_IP=198.51.100.200"))
	for _, inside := range []string{"127.0.0.1:8080", "unix@/run/lb.sock", "[::1]:80"} {
		require.Empty(t, missed(contract.LAN, four, inside), "another program is before HAProxy")
	}
	require.Empty(t, Unserved([]Address{{"VIP", netip.MustParseAddr(four), contract.LAN}}, nil),
		"without HAProxy there is nothing to judge")
}

// A peers section listens too, and serves no client.
func TestPeersServeNobody(t *testing.T) {
	found := Unserved([]Address{{"VIP", netip.MustParseAddr("198.51.100.200"), contract.LAN}},
		[]Configuration{{Sources: []haproxy.Source{{
			Text: "peers p\n bind :10000\nfrontend f\n bind 198.51.100.7:80\n",
		}}}})
	require.Len(t, found, 1)
}
