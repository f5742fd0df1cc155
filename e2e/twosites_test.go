package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/lab"
)

const twoSitesYAML = `fencing: off
sites:
  main:    {nodes: [lb-1, lb-2]}
  reserve: {nodes: [lb-3, lb-4]}
quorum: {device: 10.132.0.5}
haproxy:
  config: /etc/haproxy/haproxy.cfg
  monitor: 1s
floating_ips:
  - name: VIP
    ip: 198.51.100.200
    provider: lan
    monitor: 2s
`

// oneOfFour is held by who has a laboratory of four balancers: two of them at a time, with a shared one beside them, leave Corosync too
// little of two processors to keep a membership.
var oneOfFour sync.Mutex

// twoSites are two data centres with two balancers each, and corosync-qnetd at a third place.
type twoSites struct{ *cluster }

// TestTwoSites loses the link between two sites, the third place, and both: the side that has the
// third place's vote goes on, without the third place nothing happens, and without both nobody has
// the address. All the time a client at each site asks who has it.
func TestTwoSites(t *testing.T) {
	_, err := sharedLab() // which says what is missing
	require.NoError(t, err)
	t.Parallel()
	oneOfFour.Lock()
	t.Cleanup(oneOfFour.Unlock)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	sites, err := lab.ParseSites("2x2")
	require.NoError(t, err)
	l, err := bringUp(ctx, lab.Options{
		Name: labName() + "-sites", Overlay: os.Getenv("HAWSER_OVERLAY"), Progress: os.Stderr,
		Sites: sites, Qnetd: lab.QnetdVotes,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Down(context.Background())) })
	c := &twoSites{&cluster{l}}
	c.explainFailure(t)
	for _, n := range c.Nodes(lab.Balancer) {
		v, err := c.Votes(ctx, n.Name)
		require.NoError(t, err)
		require.Contains(t, v.Flags, "Qdevice", n.Name)
		require.Equal(t, []int{5, 5, 3, 1}, []int{v.Expected, v.Total, v.Needed, v.DeviceVotes}, n.Name)
	}
	c.write(t, "lb-1", yamlPath, twoSitesYAML)
	c.run(t, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
	c.settled(t)
	c.run(t, "lb-1", "hawser", "move", "--yes", "VIP", "lb-3")
	c.servedFrom(t, "reserve")

	watch, err := c.WatchHolders(ctx, lab.HolderOptions{IP: netip.MustParseAddr(lanIP)})
	require.NoError(t, err)
	t.Run("the link is cut", c.linkCut)
	t.Run("the third place is lost", c.qnetdLost)
	t.Run("the link is cut as well", c.bothCut)
	t.Run("TLS sessions", c.sessions)
	r, err := watch.Stop()
	require.NoError(t, err)
	for _, o := range r.Observers {
		t.Logf("%s at %s asked %d times and heard %d times that somebody has it", o.Observer, o.Site,
			o.Requests, len(o.Holdings))
		require.NotEmpty(t, o.Holdings)
	}
	require.Empty(t, r.TwoInOneSite())
	require.Empty(t, r.Differed())
	for _, both := range r.Conflicts {
		t.Logf("without fencing, %s took the address %s before %s, cut off from it, had let go",
			both.Nodes[1], both.To.Sub(both.From), both.Nodes[0])
	}
	t.Run("a site is lost", c.siteLost) // and its observer with it
}

// clientOf is the client at the site.
func (c *twoSites) clientOf(site string) string {
	return c.siteNodes(lab.Customer, site)[0]
}

func (c *twoSites) siteNodes(role lab.Role, site string) (names []string) {
	for _, n := range c.Nodes(role) {
		if n.Site == site {
			names = append(names, n.Name)
		}
	}
	return names
}

// servedFrom waits until the address is on exactly one balancer, of the site, which serves its own
// site's servers to the client there.
func (c *twoSites) servedFrom(t *testing.T, site string) {
	t.Helper()
	eventually(t, time.Minute, "the address is at "+site+", and served", func() error {
		holder, err := c.lanHolder()
		if err != nil {
			return err
		}
		if !slices.Contains(c.siteNodes(lab.Balancer, site), holder) {
			return fmt.Errorf("it is on %s", holder)
		}
		out, err := c.try(c.clientOf(site), "curl", "-sS", "-m", "2", lanPage)
		if err != nil {
			return err
		}
		server, _, _ := strings.Cut(out, " ")
		if !slices.Contains(c.siteNodes(lab.AppServer, site), server) {
			return fmt.Errorf("the page is %q", out)
		}
		return nil
	})
}

// quorum waits until exactly these sites have quorum, of those that have power.
func (c *twoSites) quorum(t *testing.T, sites ...string) {
	t.Helper()
	eventually(t, time.Minute, fmt.Sprintf("quorum at %v", sites), func() error {
		for _, n := range c.Nodes(lab.Balancer) {
			if !c.Running(n.Name) {
				continue
			}
			v, err := c.Votes(t.Context(), n.Name)
			if err != nil {
				return err
			}
			if v.Quorate != slices.Contains(sites, n.Site) {
				return fmt.Errorf("%s at %s: quorate %t, %d of %d votes", n.Name, n.Site, v.Quorate,
					v.Total, v.Expected)
			}
		}
		return nil
	})
}

// linkCut cuts the link between the sites. Of two halves that were one, corosync-qnetd gives its
// vote to that with the lowest node.
func (c *twoSites) linkCut(t *testing.T) {
	began := time.Now()
	require.NoError(t, c.Cut("main", "reserve"))
	c.quorum(t, "main")
	t.Logf("main alone has quorum %s after the cut", time.Since(began).Round(10*time.Millisecond))
	c.servedFrom(t, "main")
	t.Logf("and the address after %s", time.Since(began).Round(10*time.Millisecond))
	v, err := c.Votes(t.Context(), "lb-2")
	require.NoError(t, err)
	require.Equal(t, []int{3, 1, 2}, []int{v.Total, v.DeviceVotes, v.Members})

	require.NoError(t, c.HealBetween("main", "reserve"))
	c.quorum(t, "main", "reserve")
	c.allOnline(t)
	c.settled(t)
	c.servedFrom(t, "main")
	out, err := c.try(c.clientOf("reserve"), "curl", "-sS", "-m", "5", lanPage)
	require.NoError(t, err)
	require.Contains(t, out, "app-", "the other site is served across the link")
}

// qnetdLost cuts the power of corosync-qnetd, and waits until every balancer has noticed.
func (c *twoSites) qnetdLost(t *testing.T) {
	holder, err := c.lanHolder()
	require.NoError(t, err)
	require.NoError(t, c.Kill("qnetd"))
	eventually(t, time.Minute, "the balancers miss its vote", func() error {
		for _, n := range c.Nodes(lab.Balancer) {
			v, err := c.Votes(t.Context(), n.Name)
			if err != nil {
				return err
			}
			if !v.Quorate || v.Members != 4 {
				t.Fatalf("%s: quorate %t, %d members", n.Name, v.Quorate, v.Members)
			}
			if v.Total == v.Expected {
				return fmt.Errorf("%s counts %d votes of %d", n.Name, v.Total, v.Expected)
			}
		}
		return nil
	})
	c.settled(t)
	now, err := c.lanHolder()
	require.NoError(t, err)
	require.Equal(t, holder, now)
}

// bothCut cuts the link while there is no third place.
func (c *twoSites) bothCut(t *testing.T) {
	require.NoError(t, c.Cut("main", "reserve"))
	c.quorum(t)
	eventually(t, time.Minute, "nobody has the address", func() error {
		if now := c.lookAtHolders(); len(now) > 0 {
			return fmt.Errorf("it is on %v", now)
		}
		return nil
	})
	require.NoError(t, c.Heal())
	c.quorum(t, "main", "reserve")
	c.allOnline(t)
	c.settled(t)
	holder, err := c.lanHolder()
	require.NoError(t, err)
	require.NoError(t, c.Boot(t.Context(), "qnetd"))
	require.NoError(t, c.WaitVotes(t.Context()))
	now, err := c.lanHolder()
	require.NoError(t, err)
	require.Equal(t, holder, now, "the third place's return moves nothing")
}

// siteLost cuts the power of everything at the site that has the address.
func (c *twoSites) siteLost(t *testing.T) {
	holder, err := c.lanHolder()
	require.NoError(t, err)
	n, err := c.Node(holder)
	require.NoError(t, err)
	other := map[string]string{"main": "reserve", "reserve": "main"}[n.Site]
	began := time.Now()
	require.NoError(t, c.Kill(n.Site))
	c.servedFrom(t, other)
	t.Logf("%s serves the address %s after %s lost power", other, time.Since(began).Round(10*time.Millisecond),
		n.Site)
	c.quorum(t, other)
}

// session asks over TLS, resuming the session that the file holds or keeping a new one there, and
// returns the server and whether the session was resumed.
func (c *twoSites) session(t *testing.T, version, file string) (server string, resumed bool) {
	t.Helper()
	eventually(t, 30*time.Second, "an answer over TLS", func() error {
		out, err := c.try(c.clientOf("reserve"), "sh", "-c", fmt.Sprintf(`have=; [ ! -e %[2]s ] || have="-sess_in %[2]s"
			printf 'GET / HTTP/1.0\r\nHost: mail.example.com\r\n\r\n' | timeout 10 openssl s_client -ign_eof \
			-connect %[3]s:443 -servername mail.example.com -verify_return_error %[1]s -sess_out %[2]s $have 2>&1`, version, file, lanIP))
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		for line := range strings.Lines(out) {
			if name, _, ok := strings.Cut(line, " via "); ok && strings.HasPrefix(name, "app-") {
				server, resumed = name, strings.Contains(out, "\nReused, ")
				return nil
			}
		}
		return errors.New(out)
	})
	return server, resumed
}

// sessions has clients with a TLS session go to the server that has it, as long as it lives: the
// others are spread.
func (c *twoSites) sessions(t *testing.T) {
	servers := map[string]bool{}
	for client := range 4 {
		file := fmt.Sprintf("/root/session-%d", client)
		first, resumed := c.session(t, "-tls1_2", file)
		require.False(t, resumed)
		for range 3 {
			again, resumed := c.session(t, "-tls1_2", file)
			require.True(t, resumed)
			require.Equal(t, first, again)
		}
		servers[first] = true
	}
	require.Len(t, servers, 2, "both of the site's servers have sessions")

	// TLS 1.3 sends no id by which a session could be told: the connections are spread all the same.
	servers = map[string]bool{}
	for range 4 {
		server, _ := c.session(t, "-tls1_3", "/root/session-13")
		servers[server] = true
	}
	require.Len(t, servers, 2)
}
