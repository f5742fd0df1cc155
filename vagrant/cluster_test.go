//go:build vagrant

package vagrant

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// floatingIP is the address that the simulated cloud has to give, tokenFile is where the balancers have its token.
const (
	floatingIP = "203.0.113.10"
	tokenFile  = "/etc/hawser/token"
)

// get asks for the page once, from the client.
func (m *machines) get() (string, error) {
	return m.try(client, "curl --silent --show-error --fail --max-time 10 "+page)
}

// serves waits until the page is served.
func (m *machines) serves(t testing.TB) {
	t.Helper()
	eventually(t, 3*time.Minute, "the page is served at the floating IP", func() error {
		_, err := m.get()
		return err
	})
}

// any runs a command on the first balancer that can run it.
func (m *machines) any(script string) (out string, err error) {
	for _, node := range balancers {
		if out, err = m.try(node, script); err == nil {
			return out, nil
		}
	}
	return out, err
}

// holder is the balancer on which the cluster runs FloatIP, as one of them that is asked says.
func (m *machines) holder(asked ...string) (string, error) {
	if len(asked) == 0 {
		asked = balancers
	}
	var last error
	for _, node := range asked {
		out, err := m.try(node, "crm_resource --locate --resource FloatIP --quiet 2>/dev/null")
		if last = err; err != nil {
			continue
		}
		if name := strings.TrimSpace(out); slices.Contains(balancers, name) {
			return name, nil
		}
		last = fmt.Errorf("%s says that FloatIP runs on %q", node, out)
	}
	return "", last
}

func (m *machines) mustHolder(t testing.TB) (name string) {
	t.Helper()
	eventually(t, 2*time.Minute, "one balancer holds FloatIP", func() (err error) {
		name, err = m.holder()
		return err
	})
	return name
}

// others are the balancers but this one.
func others(than string) []string {
	return slices.DeleteFunc(slices.Clone(balancers), func(n string) bool { return n == than })
}

// moved waits until another balancer has the address and the page is served, and returns it.
func (m *machines) moved(t testing.TB, from string) (to string) {
	t.Helper()
	eventually(t, 4*time.Minute, "the floating IP leaves "+from, func() (err error) {
		if to, err = m.holder(others(from)...); err != nil {
			return err
		}
		if to == from {
			return errors.New("it is still there")
		}
		_, err = m.get()
		return err
	})
	return to
}

// online waits until every balancer is a member, and none is still joining.
func (m *machines) online(t testing.TB) {
	t.Helper()
	eventually(t, 6*time.Minute, "every balancer is online", func() error {
		out, err := m.any("crm_mon -1 --output-as=xml --include=none,nodes")
		if err != nil {
			return err
		}
		for _, node := range balancers {
			_, rest, _ := strings.Cut(out, `<node name="`+node+`"`)
			line, _, _ := strings.Cut(rest, ">")
			if !strings.Contains(line, `online="true"`) || !strings.Contains(line, `pending="false"`) || !strings.Contains(line, `unclean="false"`) {
				return fmt.Errorf("%s is not: %s", node, line)
			}
		}
		return nil
	})
}

// settled waits until the cluster has nothing left to do.
func (m *machines) settled(t testing.TB) {
	t.Helper()
	eventually(t, 3*time.Minute, "the cluster has nothing left to do", func() error {
		_, err := m.any("crm_resource --wait --timeout=100s")
		return err
	})
}

// everywhere waits until every balancer's HAProxy runs as the cluster wants it.
func (m *machines) everywhere(t testing.TB) {
	t.Helper()
	m.online(t)
	m.settled(t)
	for _, node := range balancers {
		eventually(t, 2*time.Minute, "HAProxy runs on "+node, func() error {
			_, err := m.haproxyPID(node)
			return err
		})
	}
	m.serves(t)
}

// haproxyPID is the process of the HAProxy that the agent runs on a balancer.
func (m *machines) haproxyPID(node string) (string, error) {
	return m.try(node, `pid=$(cat /run/hawser/haproxy/haproxy.pid) && kill -0 "$pid" && echo "$pid"`)
}

func (m *machines) mustPID(t testing.TB, node string) string {
	t.Helper()
	pid, err := m.haproxyPID(node)
	require.NoError(t, err)
	return pid
}

// address is a machine's on the private network.
func (m *machines) address(t testing.TB, machine string) string {
	t.Helper()
	out, err := m.any("getent ahostsv4 " + machine)
	require.NoError(t, err)
	return strings.Fields(out)[0]
}

// logsShow asks for the page until an application server's log shows a request that the balancer made for the client, and returns the line.
func (m *machines) logsShow(t testing.TB, balancer string) (line string) {
	t.Helper()
	from := m.address(t, balancer)
	ends := map[string]string{}
	for _, app := range appServers {
		ends[app] = m.run(t, app, "wc -l </var/log/nginx/access.log")
	}
	eventually(t, time.Minute, "an application server's log shows "+balancer, func() error {
		if _, err := m.get(); err != nil {
			return err
		}
		for _, app := range appServers {
			out, err := m.try(app, "tail -n +$(("+ends[app]+" + 1)) /var/log/nginx/access.log | grep -w "+quoted(strings.ReplaceAll(from, ".", `\.`))+" | grep -v '\"-\"' | tail -1")
			if err == nil && strings.Contains(out, from) {
				line = app + ": " + out
				return nil
			}
		}
		return errors.New("none has a line of it with X-Forwarded-For")
	})
	return line
}

// erase takes everything away that is configured.
func (m *machines) erase(t testing.TB) {
	t.Helper()
	m.online(t)
	m.run(t, balancers[0], "crm_attribute --name stonith-enabled --update false")
	m.run(t, balancers[0], "crm_attribute --name stop-all-resources --update true")
	m.settled(t)
	for _, section := range []string{"constraints", "resources", "tags"} {
		m.run(t, balancers[0], "cibadmin --delete-all --force --xpath '/cib/configuration/"+section+"/*'")
	}
	m.run(t, balancers[0], "cibadmin --delete-all --force --xpath '/cib/configuration/nodes/node/instance_attributes'")
	for _, name := range []string{"stop-all-resources", "stonith-enabled", "no-quorum-policy", "stonith-watchdog-timeout"} {
		m.run(t, balancers[0], "crm_attribute --name "+name+" --delete")
	}
	m.run(t, balancers[0], "crm_resource --cleanup")
	m.settled(t)
}
