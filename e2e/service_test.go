package e2e

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/load"
	"github.com/hawser-ha/hawser/lab"
)

const page = "http://203.0.113.10/"

// get asks for the page once, as a client far away, and returns an error unless an application server answers.
func (c *cluster) get() error { return c.getFrom(page) }

func (c *cluster) getFrom(url string) error {
	report, err := c.Load(context.Background(), "client", load.Plan{URL: url, Requests: 1, Timeout: time.Second})
	if err != nil {
		return err
	}
	if report.Requests != 1 || report.Failed > 0 {
		return fmt.Errorf("GET %s: %s", url, report)
	}
	return nil
}

// serves waits until the page is served.
func (c *cluster) serves(t testing.TB) {
	t.Helper()
	eventually(t, 45*time.Second, "the page is served at the floating IP", c.get)
}

// holder is the balancer that has the floating IP by the cloud's word.
func (c *cluster) holder(t testing.TB) string {
	t.Helper()
	name, err := c.tryHolder()
	require.NoError(t, err)
	return name
}

func (c *cluster) tryHolder() (string, error) {
	name, err := c.Cloud().Holder(context.Background(), lab.FloatingIP)
	if err == nil && name == "" {
		err = errors.New("nobody holds the floating IP")
	}
	return name, err
}

// moved waits until another balancer than from has the floating IP and serves, and returns it.
func (c *cluster) moved(t testing.TB, from string) string {
	t.Helper()
	var to string
	eventually(t, time.Minute, "the floating IP leaves "+from, func() error {
		var err error
		if to, err = c.tryHolder(); err != nil {
			return err
		}
		if to == from {
			return errors.New("it is still there")
		}
		return c.get()
	})
	return to
}

// others are the balancers but those.
func (c *cluster) others(but ...string) []string {
	var names []string
	for _, n := range c.Nodes(lab.Balancer) {
		if !slices.Contains(but, n.Name) {
			names = append(names, n.Name)
		}
	}
	return names
}

// sees asks for the page and looks into the application servers' logs: the request comes from that balancer, on behalf of the
// client's own address.
func (c *cluster) sees(t testing.TB, balancer string) {
	t.Helper()
	client, err := c.Node("client")
	require.NoError(t, err)
	since := time.Now()
	eventually(t, 10*time.Second, "the application servers' logs show "+balancer+" and the client", func() error {
		if err := c.get(); err != nil {
			return err
		}
		var seen []lab.Access
		for _, app := range c.Nodes(lab.AppServer) {
			log, err := c.AppLog(app.Name)
			if err != nil {
				return err
			}
			for _, a := range log {
				if a.At.After(since.Truncate(time.Millisecond)) {
					seen = append(seen, a)
				}
			}
		}
		for _, a := range seen {
			if a.Balancer == balancer && a.Client == client.Far.Addr().String() && a.Status == 200 {
				return nil
			}
		}
		return fmt.Errorf("they show %+v", seen)
	})
}

// tryHAProxyPID is the process of the HAProxy that the agent runs on a node.
func (c *cluster) tryHAProxyPID(node string) (string, error) {
	out, err := c.try(node, "cat", "/run/hawser/haproxy/haproxy.pid")
	return strings.TrimSpace(out), err
}

func (c *cluster) haproxyPID(t testing.TB, node string) string {
	t.Helper()
	pid, err := c.tryHAProxyPID(node)
	require.NoError(t, err)
	return pid
}

// reboot restarts a node in order.
func (c *cluster) reboot(t testing.TB, node string) {
	t.Helper()
	require.NoError(t, c.Reboot(t.Context(), node))
}

// edit replaces every occurrence of a text in a file of a node.
func (c *cluster) edit(t testing.TB, node, path, old, new string) {
	t.Helper()
	text := c.run(t, node, "cat", path)
	require.Contains(t, text, old)
	c.write(t, node, path, strings.ReplaceAll(text, old, new)+"\n")
}
