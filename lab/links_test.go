package lab_test

import (
	"context"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/lab"
)

// TestSites takes a lab with two sites through the faults of its links. What the cluster does about
// them is tested with hawser (e2e).
func TestSites(t *testing.T) {
	needs.Root(t)
	needs.Command(t, "corosync-qnetd")
	const name = "two-sites"
	require.NoError(t, lab.Down(t.Context(), name)) // what an earlier run that was killed has left
	before := machineState(t)
	sites, err := lab.ParseSites("main=2,reserve=1")
	require.NoError(t, err)
	l, err := lab.Up(t.Context(), lab.Options{
		Name: name, Sites: sites, Apps: 1, Qnetd: lab.QnetdApart,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Down(context.Background())) })
	traces := tracesOf(t, name)
	s := &sitesLife{&life{l}}

	t.Run("nodes", s.sites)
	t.Run("a link cut one way", s.oneWay)
	t.Run("a slow link", s.slow)
	t.Run("a lossy link", s.lossy)
	t.Run("a node that boots behind a slow link", s.boots)
	t.Run("holders", s.holders)
	t.Run("a site without power", s.siteKilled)

	require.NoError(t, l.Down(t.Context()))
	traces.requireNone(t)
	require.Equal(t, before, machineState(t))
}

type sitesLife struct{ *life }

func (s *sitesLife) sites(t *testing.T) {
	n, err := s.Node("lb-3")
	require.NoError(t, err)
	require.Equal(t, "reserve", n.Site)
	require.True(t, s.reaches(t, "lb-3", "lb-1"))
	require.True(t, s.reaches(t, "lb-3", "qnetd"))
	require.Contains(t, s.sh(t, "qnetd", "corosync-qnetd-tool -s"), "Connected clusters:\t\t0")
	require.NotContains(t, s.sh(t, "lb-1", "corosync-quorumtool -s"), "Qdevice")
	const page = "curl -sS -m 5 --resolve mail.example.com:443:10.132.0.102 https://mail.example.com/ews/healthcheck.htm"
	require.Equal(t, "200 OK<br/>app-2", s.sh(t, "lb-1", page))
	s.sh(t, "app-2", "touch /run/ill")
	require.Equal(t, "503 ill<br/>app-2", s.sh(t, "lb-1", page))
}

func (s *sitesLife) oneWay(t *testing.T) {
	hears := func(node string) bool { // lb-1's announcements
		s.sh(t, node, "ip neighbour flush all")
		s.sh(t, "lb-1", "arping -q -c 1 -A -I eth1 10.132.0.11 || true")
		out := s.sh(t, node, "timeout 1 arping -q -c 1 -w 1 -I eth1 10.132.0.11 && echo yes || echo no")
		return out == "yes"
	}
	require.NoError(t, s.CutOneWay("main", "reserve"))
	require.False(t, s.reaches(t, "lb-3", "lb-1"), "the answer does not come")
	require.True(t, s.reaches(t, "lb-2", "lb-1"))
	require.True(t, s.reaches(t, "lb-3", "qnetd"))
	require.False(t, hears("lb-3"))
	// The other way is open: what lb-3 sends arrives.
	before := s.received(t, "lb-1")
	s.sh(t, "lb-3", "ip neighbour replace 10.132.0.11 lladdr 02:48:0a:84:00:0b dev eth1; ping -q -c 5 -i 0.01 -W 1 10.132.0.11 || true")
	require.GreaterOrEqual(t, s.received(t, "lb-1"), before+5)
	s.sh(t, "lb-3", "ip neighbour del 10.132.0.11 dev eth1 || true")
	require.Equal(t, []lab.Link{{From: "main", To: "reserve", Cut: true}}, s.Status(t.Context()).Links)
	require.NoError(t, s.HealBetween("reserve", "main"))
	require.True(t, s.reaches(t, "lb-3", "lb-1"))
	require.Empty(t, s.Status(t.Context()).Links)
}

// received is how many ICMP messages the node has received.
func (s *sitesLife) received(t *testing.T, node string) int {
	t.Helper()
	for line := range strings.Lines(s.sh(t, node, "cat /proc/net/snmp")) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "Icmp:" {
			if n, err := strconv.Atoi(f[1]); err == nil {
				return n
			}
		}
	}
	t.Fatal("no Icmp in /proc/net/snmp")
	return 0
}

var pingResult = regexp.MustCompile(`(\d+) packets transmitted, (\d+) received`)

// ping returns the shortest round trip of some packets, and how many were sent and answered.
func (s *sitesLife) ping(t *testing.T, from, to string, options string) (least time.Duration, sent, answered int) {
	t.Helper()
	n, err := s.Node(to)
	require.NoError(t, err)
	out := s.sh(t, from, "ping -q "+options+" "+n.Private.Addr().String()+" || true")
	m := pingResult.FindStringSubmatch(out)
	require.NotNil(t, m, out)
	sent, _ = strconv.Atoi(m[1])
	answered, _ = strconv.Atoi(m[2])
	if _, rest, ok := strings.Cut(out, "mdev = "); ok {
		first, _, _ := strings.Cut(rest, "/")
		ms, err := strconv.ParseFloat(first, 64)
		require.NoError(t, err)
		least = time.Duration(ms * float64(time.Millisecond))
	}
	return least, sent, answered
}

func (s *sitesLife) slow(t *testing.T) {
	require.NoError(t, s.Slow("reserve", "main", 30*time.Millisecond, 0, false))
	least, _, answered := s.ping(t, "lb-3", "lb-1", "-c 5 -i 0.05 -W 5")
	require.Positive(t, answered)
	require.GreaterOrEqual(t, least, 60*time.Millisecond)
	require.Contains(t, s.sh(t, "lb-3", "curl -sS -m 10 --resolve mail.example.com:443:10.132.0.101 https://mail.example.com/"),
		"app-1 via 10.132.0.13", "TCP passes, whatever the kernel leaves to network cards")
	least, _, _ = s.ping(t, "lb-2", "lb-1", "-c 5 -i 0.02")
	require.Less(t, least, 30*time.Millisecond, "inside a site nothing is slow")
	least, _, _ = s.ping(t, "lb-3", "qnetd", "-c 5 -i 0.02")
	require.Less(t, least, 30*time.Millisecond, "nor to the third place")

	require.NoError(t, s.Cut("lb-3", "lb-2"))
	require.False(t, s.reaches(t, "lb-3", "lb-2"), "what is cut is not carried around the cut")
	require.NoError(t, s.Slow("main", "reserve", 0, 0, false))
	require.Empty(t, s.Status(t.Context()).Links)
	require.Len(t, s.Status(t.Context()).Cuts, 1)
	require.True(t, s.reaches(t, "lb-3", "lb-1"))

	require.NoError(t, s.Slow("lb-3", "lb-2", 20*time.Millisecond, 5*time.Millisecond, true))
	require.False(t, s.reaches(t, "lb-3", "lb-2"), "a cut that was there before")
	require.NoError(t, s.Heal())
	require.NoError(t, s.Slow("lb-3", "lb-2", 20*time.Millisecond, 5*time.Millisecond, true))
	least, _, _ = s.ping(t, "lb-3", "lb-2", "-c 5 -i 0.05 -W 5")
	require.GreaterOrEqual(t, least, 15*time.Millisecond)
	require.NoError(t, s.Heal())
	require.ErrorContains(t, s.Slow("lb-3", "lb-2", time.Hour, 0, false), "at most a minute")
	require.ErrorContains(t, s.Slow("lb-3", "lb-2", time.Second, time.Minute, false), "jitter")
}

func (s *sitesLife) lossy(t *testing.T) {
	require.NoError(t, s.Lose("main", "reserve", 50, true))
	_, sent, answered := s.ping(t, "lb-3", "lb-1", "-c 200 -i 0.002 -W 1")
	require.Equal(t, 200, sent)
	require.Greater(t, answered, 40) // a binomial distribution: seven times its deviation from the mean
	require.Less(t, answered, 150)
	require.NoError(t, s.Lose("main", "reserve", 100, true))
	_, _, answered = s.ping(t, "lb-3", "lb-1", "-c 5 -i 0.02 -W 1")
	require.Zero(t, answered)
	require.NoError(t, s.Heal())
	require.True(t, s.reaches(t, "lb-3", "lb-1"))
	require.ErrorContains(t, s.Lose("main", "reserve", 101, false), "0 to 100")
}

func (s *sitesLife) boots(t *testing.T) {
	require.NoError(t, s.Slow("lb-3", "lb-1", 20*time.Millisecond, 0, false))
	require.NoError(t, s.Kill("lb-3"))
	require.NoError(t, s.Boot(t.Context(), "lb-3"))
	least, _, answered := s.ping(t, "lb-3", "lb-1", "-c 5 -i 0.05 -W 5")
	require.Positive(t, answered)
	require.GreaterOrEqual(t, least, 40*time.Millisecond)
	require.False(t, s.Status(t.Context()).Links[0].Dead)
	require.NoError(t, s.Heal())
	require.NoError(t, s.WaitCluster(t.Context()))
}

func (s *sitesLife) siteKilled(t *testing.T) {
	require.NoError(t, s.Kill("reserve"))
	require.NoError(t, s.Kill("reserve"), "again")
	for _, n := range s.Nodes("") {
		require.Equal(t, n.Site != "reserve", s.Running(n.Name), n.Name)
	}
	require.NoError(t, s.Boot(t.Context(), "reserve"))
	require.NoError(t, s.Boot(t.Context(), "reserve"), "there is nothing left to boot")
	require.NoError(t, s.WaitCluster(t.Context()))
	require.True(t, s.reaches(t, "lb-1", "lb-3"))
}

// holders moves addresses by hand, properly and with both nodes having them for a while.
func (s *sitesLife) holders(t *testing.T) {
	for vip, bits := range map[string]string{"198.51.100.200": "/24", "2001:db8:1::200": "/64 nodad"} {
		ip := netip.MustParseAddr(vip)
		add := func(node string) { s.sh(t, node, "ip address add "+vip+bits+" dev eth0") }
		del := func(node string) { s.sh(t, node, "ip address del "+strings.Fields(vip + bits)[0]+" dev eth0") }
		answers := func(node string) {
			t.Helper()
			require.Eventually(t, func() bool {
				r, err := s.Holders(t.Context(), lab.HolderOptions{IP: ip, For: 200 * time.Millisecond})
				require.NoError(t, err)
				for _, o := range r.Observers {
					if len(o.Holdings) == 0 || o.Holdings[len(o.Holdings)-1].Node != node {
						return false
					}
				}
				return len(r.Observers) == 2
			}, 20*time.Second, 10*time.Millisecond)
		}
		add("lb-1")
		answers("lb-1")
		w, err := s.WatchHolders(t.Context(), lab.HolderOptions{IP: ip})
		require.NoError(t, err)
		del("lb-1")
		add("lb-3")
		answers("lb-3")
		r, err := w.Stop()
		require.NoError(t, err)
		require.Empty(t, r.Conflicts, "%s was moved: %+v", vip, r)

		w, err = s.WatchHolders(t.Context(), lab.HolderOptions{IP: ip})
		require.NoError(t, err)
		answers("lb-3")
		add("lb-1")
		answersBoth := func() bool {
			r, err := s.Holders(t.Context(), lab.HolderOptions{IP: ip, For: 300 * time.Millisecond})
			require.NoError(t, err)
			return len(r.TwoInOneSite()) > 0
		}
		require.Eventually(t, answersBoth, 20*time.Second, 10*time.Millisecond)
		r, err = w.Stop()
		require.NoError(t, err)
		require.NotEmpty(t, r.TwoInOneSite(), "%s was on two nodes", vip)
		require.NotEmpty(t, r.Differed())

		require.NoError(t, s.Cut("main", "reserve"))
		r, err = s.Holders(t.Context(), lab.HolderOptions{IP: ip, For: 500 * time.Millisecond})
		require.NoError(t, err)
		require.Empty(t, r.TwoInOneSite(), "neither site sees the other's")
		require.Empty(t, r.Differed())
		require.NotEmpty(t, r.Conflicts)
		require.NoError(t, s.Heal())
		del("lb-1")
		del("lb-3")
	}
}
