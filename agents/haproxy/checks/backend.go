package checks

import (
	"context"
	"fmt"
	"net"
	"strings"

	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/param"
)

// count asks HAProxy how many servers are up.
func (r *Runner) count(ctx context.Context, c *param.Check) error {
	servers, err := r.Servers(ctx)
	if err != nil {
		return fmt.Errorf("HAProxy does not say which servers are up: %w", err)
	}
	return CountServers(servers, c.Backend, c.MinServers)
}

// CountServers returns an error if the backend, or any that has servers, has fewer servers up than
// that. Backends without servers, such as one that only shows statistics, need none.
func CountServers(servers []client.Stat, backend string, least int) error {
	var order []string
	up, all := map[string]int{}, map[string]int{}
	for _, s := range servers {
		if s.Type != client.Server || backend != param.EveryBackend && s.Proxy != backend {
			continue
		}
		if all[s.Proxy] == 0 {
			order = append(order, s.Proxy)
		}
		all[s.Proxy]++
		if s.Up() {
			up[s.Proxy]++
		}
	}
	if len(order) == 0 && backend != param.EveryBackend {
		return fmt.Errorf("HAProxy has no backend %s with servers", backend)
	}
	var short []string
	for _, name := range order {
		if up[name] < least {
			short = append(short, fmt.Sprintf("%s has %d of %d", name, up[name], all[name]))
		}
	}
	if len(short) > 0 {
		return fmt.Errorf("fewer than min_servers=%d servers are UP: backend %s", least,
			strings.Join(short, ", backend "))
	}
	return nil
}

// connect opens a connection and closes it.
func (r *Runner) connect(ctx context.Context, c *param.Check) error {
	target, err := r.expand(c.TCP)
	if err != nil {
		return err
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", target)
	if err != nil {
		return err // "dial tcp 192.0.2.1:5432: connect: connection refused"
	}
	return conn.Close()
}
