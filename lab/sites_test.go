package lab

import (
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/internal/corosync/corosynctest"
	"github.com/hawser-ha/hawser/internal/golden"
	"github.com/hawser-ha/hawser/internal/needs"
)

func twoByTwo(t testing.TB) Options {
	t.Helper()
	sites, err := ParseSites("2x2")
	require.NoError(t, err)
	return Options{Sites: sites, Qnetd: QnetdVotes}.withDefaults()
}

func TestParseSites(t *testing.T) {
	require.Equal(t, []Site{{"main", 2}, {"reserve", 2}}, twoByTwo(t).Sites)
	sites, err := ParseSites("east=2,west=1")
	require.NoError(t, err)
	require.Equal(t, []Site{{"east", 2}, {"west", 1}}, sites)
	for text, want := range map[string]string{
		"":                           "write 2x2",
		"2":                          "write 2x2",
		"main=two,reserve=2":         "write 2x2",
		"1x2":                        "there can be 2 to 4",
		"5x1":                        "there can be 2 to 4",
		"99999999999999999999x1":     "there can be 2 to 4",
		"2x0":                        "there can be 1 to 8",
		"2x99999999999999999999":     "there can be 2 to 4",
		"main=2":                     "1 sites",
		"main=2,main=2":              "is given twice",
		"Main=2,b=2":                 "lower-case",
		"lb-1=2,b=2":                 "name of something else",
		"a-very-long-name=2,other=1": "at most 10",
	} {
		_, err := ParseSites(text)
		require.ErrorContains(t, err, want, text)
	}
}

func FuzzParseSites(f *testing.F) {
	f.Add("2x2")
	f.Add("main=2,reserve=1")
	f.Fuzz(func(t *testing.T, text string) {
		if sites, err := ParseSites(text); err == nil {
			require.NoError(t, checkSites(sites))
		}
	})
}

// TestSpread has names of devices that the kernel takes, and no address twice.
func TestSpread(t *testing.T) {
	sites, err := ParseSites("abcdefghij=8,bcdefghijk=8,c=8,d=8")
	require.NoError(t, err)
	nodes := append(spread(sites, 8), arbiter())
	seen := map[string]string{}
	for _, n := range nodes {
		for _, nic := range n.nics() {
			require.LessOrEqual(t, len(port(n.Name, nic)), 15, "IFNAMSIZ")
			require.LessOrEqual(t, len(nic.bridge), 15, "IFNAMSIZ")
			for _, p := range nic.addrs {
				require.Empty(t, seen[p.String()], "%s: %s", n.Name, p)
				seen[p.String()] = n.Name
			}
		}
	}
	for network := range stretched {
		middle, edge := trunk(sites[0].Name, network)
		require.LessOrEqual(t, max(len(middle), len(edge)), 15, "IFNAMSIZ")
	}
	require.Equal(t, "abcdefghij", nodes[7].Site)
	require.Equal(t, "bcdefghijk", nodes[8].Site)
}

// TestGeneratedForSites has the program of each file check what the nodes of two sites are delivered
// with.
func TestGeneratedForSites(t *testing.T) {
	o := twoByTwo(t)
	conf, err := o.Generate("corosync.conf", "lb-3")
	require.NoError(t, err)
	golden.Equal(t, "corosync-2x2.conf", conf)
	corosynctest.Accepts(t, conf, "lb-3")

	odd := o
	odd.Sites = []Site{{"main", 2}, {"reserve", 1}}
	conf, err = odd.Generate("corosync.conf", "lb-3")
	require.NoError(t, err)
	require.Contains(t, conf, "algorithm: lms")
	corosynctest.Accepts(t, conf, "lb-3")

	cfg, err := o.Generate("haproxy.cfg", "lb-3")
	require.NoError(t, err)
	golden.Equal(t, "haproxy-2x2.cfg", cfg)
	check := func(site string) (string, error) {
		haproxy := exec.CommandContext(t.Context(), needs.Command(t, "haproxy"), "-c", "-f",
			kept(t, "haproxy-2x2.cfg"))
		haproxy.Env = append(os.Environ(), "HAWSER_SITE="+site)
		out, err := haproxy.CombinedOutput()
		return string(out), err
	}
	for _, site := range []string{"main", "reserve"} {
		out, err := check(site)
		require.NoError(t, err, "haproxy -c: %s", out)
		require.NotContains(t, out, "WARNING", site)
	}
	out, err := check("elsewhere")
	require.Error(t, err)
	require.Contains(t, out, "HAWSER_SITE is not the name of a site: main, reserve")

	nginx, err := o.Generate("nginx.conf", "app-3")
	require.NoError(t, err)
	golden.Equal(t, "nginx-2x2.conf", nginx)
	l := &Lab{dir: t.TempDir(), spec: Spec{Name: "test", Sites: o.Sites}}
	require.NoError(t, l.makeCertificates())
	served := strings.ReplaceAll(nginx, "/etc/nginx/site.", l.path("site."))
	path := filepath.Join(t.TempDir(), "nginx.conf")
	require.NoError(t, os.WriteFile(path, []byte(served), 0o600))
	needs.Root(t) // nginx -t listens: it wants the address, and writes its logs
	said, err := exec.CommandContext(t.Context(), "unshare", "--net", "--mount", "sh", "-ec", `
		ip link set lo up; ip address add 10.132.0.103/16 dev lo
		mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /var/log; mkdir /var/log/nginx
		exec "$1" -t -c "$2"`, "sh", needs.Command(t, "nginx"), path).CombinedOutput()
	require.NoError(t, err, "nginx -t: %s", said)
}

func sitesLab(t testing.TB) *Lab {
	t.Helper()
	o := twoByTwo(t)
	return &Lab{spec: Spec{Name: "test", Nodes: o.layout(), Sites: o.Sites, Qnetd: o.Qnetd}}
}

// TestWays finds where what goes from one end to another can be stopped.
func TestWays(t *testing.T) {
	l := sitesLab(t)
	for _, c := range []struct {
		a, b string
		want []string
	}{
		{"main", "reserve", []string{"-i main.pub -o reserve.pub", "-i main.priv -o reserve.priv"}},
		{"main", "qnetd", []string{"-i main.priv -o qnetd.eth1"}},
		{"qnetd", "main", []string{"-i qnetd.eth1 -o main.priv"}},
		{"cloud", "main", []string{"-i cloud.eth0 -o main.pub"}},
		{"lb-1", "lb-2", []string{"-i lb-1.eth0 -o lb-2.eth0", "-i lb-1.eth1 -o lb-2.eth1"}},
		{"lb-1", "lb-3", []string{
			"-s 02:48:c6:33:64:0b -o lb-3.eth0", "-s 02:48:0a:84:00:0b -o lb-3.eth1",
		}},
		{"lb-1", "qnetd", []string{"-s 02:48:0a:84:00:0b -o qnetd.eth1"}},
		{"app-1", "reserve", []string{"-s 02:48:0a:84:00:65 -o reserve.priv"}},
		{"reserve", "app-1", []string{
			"-s 02:48:0a:84:00:0d -o app-1.eth1", "-s 02:48:0a:84:00:0e -o app-1.eth1",
			"-s 02:48:0a:84:00:67 -o app-1.eth1", "-s 02:48:0a:84:00:68 -o app-1.eth1",
		}},
		{"main", "app-1", []string{
			"-i lb-1.eth1 -o app-1.eth1", "-i lb-2.eth1 -o app-1.eth1", "-i app-2.eth1 -o app-1.eth1",
		}},
		{"client-1", "app-1", nil},
	} {
		ways, err := l.waysBetween(c.a, c.b)
		require.NoError(t, err)
		var got []string
		for _, w := range ways {
			got = append(got, w.where())
		}
		require.Equal(t, c.want, got, "%s to %s", c.a, c.b)
	}
	require.ErrorContains(t, l.share("lb-9", "main"), "and the sites [main=2 reserve=2]")
	require.ErrorContains(t, l.share("main", "main"), "name two nodes")
	require.ErrorContains(t, l.share("client-1", "qnetd"), "no network has both")
}

// TestCutsStopRelays has a relay carry nothing around a cut.
func TestCutsStopRelays(t *testing.T) {
	l := sitesLab(t)
	link := Link{From: "lb-1", To: "lb-3", Delay: time.Second}
	flows, err := l.flows(faults{}, link)
	require.NoError(t, err)
	require.Len(t, flows, 2)
	require.Equal(t, []string{"02:48:c6:33:64:0d"}, flows[0].To)
	for _, f := range []faults{
		{Cuts: [][2]string{{"reserve", "main"}}},
		{Cuts: [][2]string{{"lb-3", "lb-1"}}},
		{Cuts: [][2]string{{"main", "lb-3"}}},
		{Links: []linkState{{Link: Link{From: "main", To: "reserve", Cut: true}}}},
	} {
		flows, err := l.flows(f, link)
		require.NoError(t, err)
		require.Empty(t, flows, "%+v", f)
	}
	for _, f := range []faults{
		{Cuts: [][2]string{{"reserve", "qnetd"}, {"lb-2", "lb-3"}}},
		{Links: []linkState{{Link: Link{From: "reserve", To: "main", Cut: true}}}},
	} {
		flows, err := l.flows(f, link)
		require.NoError(t, err)
		require.Len(t, flows, 2, "%+v", f)
		require.False(t, flows[0].NoRing)
	}
	flows, err = l.flows(faults{RingCuts: [][2]string{{"lb-3", "lb-1"}}}, link)
	require.NoError(t, err)
	require.True(t, flows[0].NoRing)

	// What one relay carries for a node is not carried by that of the node's site as well.
	site, err := l.flows(faults{}, Link{From: "main", To: "reserve", Delay: time.Second})
	require.NoError(t, err)
	require.Contains(t, site[0].Not, "02:48:c6:33:64:0b")
	require.NotContains(t, site[0].Not, "02:48:c6:33:64:0d")
	node, err := l.flows(faults{}, Link{From: "lb-1", To: "reserve", Delay: time.Second})
	require.NoError(t, err)
	apart([][]flow{site, node})
	require.Equal(t, []string{"02:48:c6:33:64:0b"}, site[0].NotFrom)
}

func TestIsRing(t *testing.T) {
	frame := func(protocol byte, port uint16) []byte {
		b := make([]byte, 14+20+8)
		binary.BigEndian.PutUint16(b[12:], unix.ETH_P_IP)
		b[14], b[23] = 0x45, protocol
		binary.BigEndian.PutUint16(b[36:], port)
		return b
	}
	require.True(t, isRing(frame(unix.IPPROTO_UDP, 5405)))
	require.True(t, isRing(frame(unix.IPPROTO_UDP, 5412)))
	require.False(t, isRing(frame(unix.IPPROTO_UDP, 5413)))
	require.False(t, isRing(frame(unix.IPPROTO_TCP, 5405)))
	require.False(t, isRing(frame(unix.IPPROTO_UDP, 5405)[:30]))
}

// TestClaims reads who says that he has an address.
func TestClaims(t *testing.T) {
	mac := net.HardwareAddr{2, 0x48, 1, 2, 3, 4}
	ip, other := netip.MustParseAddr("198.51.100.200"), netip.MustParseAddr("198.51.100.9")
	asks := arpRequest(mac, other, ip)
	_, ok := claimsARP(asks, ip)
	require.False(t, ok, "a question is no claim")
	who, ok := claimsARP(arpRequest(mac, ip, other), ip)
	require.True(t, ok, "unless it comes from the address")
	require.Equal(t, mac, who)
	_, ok = claimsARP(asks[:30], ip)
	require.False(t, ok)

	ip6, other6 := netip.MustParseAddr("2001:db8:1::200"), netip.MustParseAddr("2001:db8:1::9")
	asks = solicitation(mac, other6, ip6)
	_, ok = claimsND(asks, ip6)
	require.False(t, ok)
	advert := append([]byte(nil), asks...)
	advert[54] = 136
	who, ok = claimsND(advert, ip6)
	require.True(t, ok)
	require.Equal(t, mac, who)
	_, ok = claimsND(advert, other6)
	require.False(t, ok)
}

// FuzzClaims reads frames that are none.
func FuzzClaims(f *testing.F) {
	f.Add(arpRequest(everybody, netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")))
	f.Fuzz(func(_ *testing.T, b []byte) {
		_, _ = claimsARP(b, netip.MustParseAddr("10.0.0.1"))
		_, _ = claimsND(b, netip.MustParseAddr("fd00::1"))
		_ = isRing(b)
	})
}

// TestRuns has a node hold an address for as long as it answers, and not while it did not.
func TestRuns(t *testing.T) {
	start := time.Unix(1_800_000_000, 0)
	w := &watch{current: map[string]int{}}
	answer := func(mac string, requests int) {
		w.seen.Requests = requests
		w.note(mac, start.Add(time.Duration(requests)*time.Second))
	}
	for _, n := range []int{1, 2, 3, 7} {
		answer("a", n)
	}
	answer("b", 8)
	answer("a", 13) // after more unanswered ones than it may leave
	require.Len(t, w.seen.Runs, 3)
	require.Equal(t, 4, w.seen.Runs[0].Answers)
	require.Equal(t, start.Add(7*time.Second), w.seen.Runs[0].Last)
}

func TestConflicts(t *testing.T) {
	start := time.Unix(1_800_000_000, 0)
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	holds := func(node string, from, to int) Holding {
		return Holding{Node: node, MAC: node, From: at(from), To: at(to)}
	}
	observe := func(site string, all ...Holding) Observed { return Observed{Site: site, Holdings: all} }
	report := func(history []cutsAt, all ...Observed) HoldersReport {
		return HoldersReport{Observers: all, Conflicts: conflicts(all, history)}
	}
	require.Empty(t, report(nil, observe("main", holds("lb-1", 0, 5), holds("lb-3", 6, 9)),
		observe("reserve", holds("lb-1", 0, 5), holds("lb-3", 6, 9))).Conflicts, "a move")

	r := report(nil, observe("main", holds("lb-3", 4, 9), holds("lb-1", 0, 5), holds("lb-2", 6, 7)))
	require.Len(t, r.TwoInOneSite(), 2)
	require.Empty(t, r.Differed())
	require.Equal(t, Conflict{
		Sites: [2]string{"main", "main"}, Nodes: [2]string{"lb-1", "lb-3"}, From: at(4), To: at(5),
		LinkUp: true,
	}, r.Conflicts[0])

	two := []Observed{observe("main", holds("lb-1", 0, 5)), observe("reserve", holds("lb-3", 3, 9))}
	cut := cutsAt{At: at(1), Apart: [][2]string{{"reserve", "main"}}}
	r = report(nil, two...)
	require.Len(t, r.Differed(), 1)
	require.Empty(t, r.TwoInOneSite())
	r = report([]cutsAt{cut}, two...)
	require.Empty(t, r.Differed(), "the link was cut all that time")
	require.Len(t, r.Conflicts, 1)
	require.Len(t, report([]cutsAt{cut, {At: at(4)}}, two...).Differed(), 1, "it was not")
	require.Len(t, report([]cutsAt{{At: at(4), Apart: cut.Apart}}, two...).Differed(), 1, "not yet")
}
