package draft_test

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/draft"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/golden"
)

const path = "/etc/haproxy/haproxy.cfg"

func cfg(text string) draft.HAProxy {
	return draft.HAProxy{File: path, Sources: []haproxy.Source{{File: path, Text: text}}}
}

func nic(name string, prefixes ...string) draft.Interface {
	i := draft.Interface{Name: name, Loopback: name == "lo"}
	for _, p := range prefixes {
		i.Prefixes = append(i.Prefixes, netip.MustParsePrefix(p))
	}
	return i
}

func node(name string, links ...string) draft.Member {
	m := draft.Member{Name: name}
	for _, l := range links {
		m.Links = append(m.Links, netip.MustParseAddr(l))
	}
	return m
}

// machines are some that hawser is started on.
func machines() map[string]draft.Facts {
	loopback := nic("lo", "127.0.0.1/8", "::1/128")
	return map[string]draft.Facts{
		"nothing": {HAProxy: draft.HAProxy{File: path}, Cluster: draft.Cluster{Setup: draft.Setup{Maker: draft.Unknown}},
			NotSeen: []string{"The cluster was not asked: Pacemaker is not installed."}},
		"droplet": {
			Node: "lb-1",
			Cluster: draft.Cluster{Known: true, Members: []draft.Member{node("lb-1", "10.132.0.11"), node("lb-2", "10.132.0.12")},
				Setup: draft.Setup{Maker: draft.Nobody}},
			Interfaces: []draft.Interface{loopback, nic("eth0", "198.51.100.20/20", "10.17.0.5/16"), nic("eth1", "10.132.0.11/16")},
			HAProxy:    cfg("frontend web\n\tbind \"${HAWSER_ANCHOR_IP}:80\"\n\tmonitor-uri /up\nlisten private\n\tbind 10.132.0.99:3306\n"),
			Droplet: draft.Droplet{ID: "1001", Anchor: netip.MustParseAddr("10.17.0.5"),
				Reserved: []netip.Addr{netip.MustParseAddr("203.0.113.10"), netip.MustParseAddr("2001:db8:1::10")}},
		},
		"lan-pair": {
			Node: "lb-1",
			Cluster: draft.Cluster{Known: true, Members: []draft.Member{node("lb-1", "192.0.2.11"), node("lb-2", "192.0.2.12")},
				Setup: draft.Setup{Maker: draft.Nobody}, IDs: []string{"VIP6", "fence-1"},
				Fencing: draft.Fencing{Devices: []string{"fence-1 (stonith:fence_ipmilan)"}}},
			Interfaces: []draft.Interface{loopback, nic("ens192", "192.0.2.11/24", "192.0.2.77/24", "fe80::1/64", "2001:db8::11/64")},
			HAProxy: cfg("defaults\n\tmode http\n\tmonitor-uri /alive\nfrontend web\n\tbind 192.0.2.10:80\n\tbind 192.0.2.10:443 ssl crt /etc/ssl/x.pem\n" +
				"\tbind [2001:db8::10]:443\n\tbind 192.0.2.11:8404\n\tbind 198.51.100.9:25\n\tbind \"${OTHER}:99\"\n\tbind balancer.example.org:81\n"),
		},
		"two-sites": {
			Node: "a1",
			Cluster: draft.Cluster{Known: true, Members: []draft.Member{node("a1", "10.1.0.1"), node("a2", "10.1.0.2"),
				node("b1", "10.2.0.1"), node("b2", "10.2.0.2")},
				Setup: draft.Setup{Maker: draft.Nobody}, Device: "qnetd.example.org",
				Fencing: draft.Fencing{SBD: true, Timeout: 10 * time.Second, Watchdogs: true}},
			Interfaces: []draft.Interface{loopback, nic("bond0.7", "10.1.0.1/24")},
			HAProxy:    cfg("frontend web\n\tbind :::443 v4v6 ssl crt /x\n\tmonitor-uri /healthz\n"),
		},
		"two-sites-without-a-third": {
			Node: "a1",
			Cluster: draft.Cluster{Known: true, Members: []draft.Member{node("a1", "2001:db8:1::1"), node("b1", "2001:db8:2::1"),
				node("a2", "2001:db8:1::2"), node("b2", "2001:db8:2::2")},
				Setup: draft.Setup{Maker: draft.Nobody}},
			Interfaces: []draft.Interface{loopback, nic("eth0", "2001:db8:1::1/64")},
			HAProxy:    cfg("frontend web\n\tbind [2001:db8:1::99]:443\n"),
		},
		"by-hand": {
			Node: "lb-1",
			Cluster: draft.Cluster{Known: true, Members: []draft.Member{node("lb-1"), node("lb-2")},
				Setup:   draft.Setup{Maker: draft.ByHand, HAProxies: []string{"lb (systemd:haproxy)"}},
				IDs:     []string{"lb", "ClusterIP"},
				Holders: map[netip.Addr]string{netip.MustParseAddr("192.0.2.10"): "ClusterIP"},
				Fencing: draft.Fencing{Off: true}},
			Interfaces: []draft.Interface{nic("eth0", "192.0.2.11/24", "192.0.2.10/32")},
			HAProxy:    draft.HAProxy{File: path, Sources: cfg("listen x\n\tbind :80\n").Sources, Complaint: "[ALERT] (1) : config :\nparsing [x:3] 'bidn'\x1b[31m"},
		},
		"hawsers": {
			Node: "lb-1",
			Cluster: draft.Cluster{Known: true, Members: []draft.Member{node("lb-1"), node("lb-2"), node("lb-3")},
				Setup: draft.Setup{Maker: draft.Hawser, From: "/etc/hawser/hawser.yaml on lb-2"}, IDs: []string{"VIP"},
				Holders: map[netip.Addr]string{netip.MustParseAddr("192.0.2.10"): "VIP"},
				Fencing: draft.Fencing{SBD: true, Disks: "/dev/sdb", Timeout: 5 * time.Second}},
			HAProxy: cfg("listen x\n\tbind 192.0.2.10:80\n"),
		},
	}
}

// keysOf are the lines of a draft with the keys that are commented out as keys; of the ways of fencing
// only the nth.
func keysOf(text string, fencing int) (string, int) {
	commented := regexp.MustCompile(`^( *)#($|[^# ]|  )`)
	var out []string
	choices := 0
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if commented.MatchString(line) && strings.TrimSpace(line) != "#" {
			if strings.HasPrefix(line, "#fencing:") {
				if choices++; choices-1 != fencing {
					continue
				}
			}
			line = strings.Replace(line, "#", "", 1)
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n"), choices
}

// Whatever is found, the draft is valid as it is, and stays so when each key that is commented out is
// used.
func TestOf(t *testing.T) {
	for name, facts := range machines() {
		t.Run(name, func(t *testing.T) {
			d, err := draft.Of(facts)
			require.NoError(t, err)
			golden.File(t, "testdata/"+name+".yaml", string(d.YAML))
			_, err = config.Parse("hawser.yaml", d.YAML)
			require.NoError(t, err)
			for n := 0; ; n++ {
				text, choices := keysOf(string(d.YAML), n)
				file, err := config.Parse("hawser.yaml", []byte(text))
				require.NoError(t, err, "%s", text)
				require.NotEmpty(t, file.Addresses)
				require.NotEmpty(t, file.HAProxy.Checks)
				if n+1 >= choices {
					break
				}
			}
			for _, line := range golden.TooWide(string(d.YAML)) {
				t.Errorf("longer than a terminal is wide: %s", line)
			}
		})
	}
}

// Whatever is in haproxy.cfg and in a name, the draft is valid.
func FuzzOf(f *testing.F) {
	for _, text := range []string{"frontend x\n bind 192.0.2.10:80\n monitor-uri /x", "bind", "listen\n\tbind 0.0.0.1:1,[::2]:3,255.255.255.255:1 ssl",
		"defaults\n monitor-uri \"/a'b \n\nfrontend y\n bind :::1 v4v6\n bind fe80::1%eth0:3\n", "frontend x\n bind \x00\x1b[1;31m:80\n"} {
		f.Add(text, "lb-1")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		facts := machines()["lan-pair"]
		facts.HAProxy, facts.Node, facts.Cluster.Device = cfg(text), name, name
		facts.Cluster.Members = append(facts.Cluster.Members, node(name))
		facts.NotSeen = []string{text}
		_, err := draft.Of(facts)
		require.NoError(t, err)
	})
}
