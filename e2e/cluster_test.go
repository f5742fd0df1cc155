// Package e2e runs everything together on a real cluster: Corosync, Pacemaker, HAProxy and nginx in the laboratory's nodes, with the
// agents and the command as `make install` puts them in place.
package e2e

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/lab"
	"github.com/hawser-ha/hawser/share/schemas/schemastest"
)

// floatingIP is the address that the laboratory's cloud has to give.
var floatingIP = lab.FloatingIP.String()

// cluster is the laboratory that the tests share, one after the other. A test that needs another one brings it up for itself; those
// tests come last, and two at a time (t.Parallel), as they wait more than they work.
type cluster struct{ *lab.Lab }

// labName is the laboratory's name. HAWSER_LAB sets another one, so that two labs can exist side by
// side.
func labName() string { return cmp.Or(os.Getenv("HAWSER_LAB"), "e2e") }

// actionTime is how long the cloud takes to move an address: long enough for the agent to have to ask how far it is.
const actionTime = 300 * time.Millisecond

// broughtUp is the shared laboratory, for TestMain.
var broughtUp *lab.Lab

// sharedLab is brought up by the first test that needs it and taken down by TestMain.
var sharedLab = sync.OnceValues(func() (*lab.Lab, error) {
	overlay := os.Getenv("HAWSER_OVERLAY")
	if overlay == "" {
		return nil, errors.New("HAWSER_OVERLAY is not set: run `make test-cluster`, which installs hawser where the nodes find it")
	}
	if _, err := os.Stat(filepath.Join(overlay, "usr/sbin/hawser")); err != nil {
		return nil, fmt.Errorf("HAWSER_OVERLAY holds no hawser: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	l, err := bringUp(ctx, lab.Options{Name: labName(), Overlay: overlay, ActionTime: actionTime, Progress: os.Stderr})
	broughtUp = l
	return l, err
})

// TestMain lets this binary be what the laboratory or a measurement starts again, and takes the laboratory down.
func TestMain(m *testing.M) {
	lab.Reexec()
	for env, be := range map[string]func(spec string) int{measureEnv: stopwatch, echoEnv: echo, launchEnv: launch} {
		if spec := os.Getenv(env); spec != "" {
			os.Exit(be(spec))
		}
	}
	code := m.Run()
	if l := broughtUp; l != nil { // and not what another run has under way
		if err := l.Down(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// fresh returns the cluster with every node online, nothing configured, no fault in force.
func fresh(t testing.TB) *cluster {
	t.Helper()
	needs.Root(t)
	l, err := sharedLab()
	require.NoError(t, err)
	c := &cluster{l}
	require.NoError(t, c.Heal())
	require.NoError(t, c.Cloud().ClearFaults(t.Context()))
	for _, n := range c.Nodes(lab.Balancer) {
		if !c.Running(n.Name) {
			require.NoError(t, c.Boot(t.Context(), n.Name))
		}
	}
	c.allOnline(t)
	c.erase(t)
	c.explainFailure(t)
	return c
}

// explainFailure has a test that fails end with what the cluster, the fence agents and the cloud say, while they are there.
func (c *cluster) explainFailure(t testing.TB) {
	t.Helper()
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		for _, n := range c.Nodes(lab.Balancer) {
			out, _, err := c.Exec(ctx, n.Name, "sh", "-c", "crm_mon -1rfn; grep -E 'fence_droplet|fenced.*(Operation|error|warning)' /var/log/pacemaker/pacemaker.log | tail -20; "+
				"grep -E 'hawser-(haproxy|keeper|floatip)[[]' /var/log/syslog | tail -20")
			t.Logf("%s when the test failed: %v\n%s", n.Name, err, out)
		}
		said, err := os.ReadFile(c.CloudLog())
		t.Logf("the cloud when the test failed: %v\n%s", err, said[max(0, len(said)-4000):])
	})
}

// erase stops and deletes everything that is configured, and forgets what has happened.
func (c *cluster) erase(t testing.TB) {
	t.Helper()
	// Without the first, Pacemaker does nothing where nothing can fence, not even this, and in maintenance neither.
	c.run(t, "lb-1", "sh", "-ec", "crm_attribute --name stonith-enabled --update false; crm_attribute --name maintenance-mode --delete; "+
		"cibadmin --delete-all --force --xpath /cib/configuration/nodes/node/instance_attributes; crm_attribute --name stop-all-resources --update true")
	eventually(t, time.Minute, "all resources are stopped", func() error {
		out, err := c.try("lb-1", "crm_mon", "-1", "--output-as=xml")
		if err != nil {
			return err
		}
		doc := etree.NewDocument()
		if err := doc.ReadFromString(out); err != nil {
			return err
		}
		for _, r := range doc.FindElements("//resource") {
			if r.SelectAttrValue("active", "") == "true" {
				return fmt.Errorf("%s is active", r.SelectAttrValue("id", ""))
			}
		}
		return nil
	})
	c.run(t, "lb-1", "sh", "-ec", `delete() { cibadmin --delete-all --force --xpath "$1"; }
		for section in constraints resources tags rsc_defaults op_defaults; do
			delete "/cib/configuration/$section/*"
		done
		delete "//crm_config/cluster_property_set[@id!='cib-bootstrap-options']"
		delete /cib/configuration/nodes/node/instance_attributes # standby, maintenance
		for name in stop-all-resources stonith-enabled no-quorum-policy; do
			crm_attribute --name $name --delete
		done
		crm_resource --cleanup`)
	eventually(t, 30*time.Second, "the cluster has settled", func() error {
		out, err := c.try("lb-1", "cibadmin", "--query", "--xpath", "/cib/configuration/resources")
		if err != nil {
			return err
		}
		if strings.Contains(out, "<primitive") {
			return errors.New("resources are left")
		}
		return nil
	})
	// A test that failed half-way may have left its edit, and every one after it would fail as well.
	for _, n := range c.Nodes(lab.Balancer) {
		c.run(t, n.Name, "sh", "-ec", `kept=/var/lib/haproxy.cfg.delivered
			[ -e $kept ] || cp -p /etc/haproxy/haproxy.cfg $kept
			cp -p $kept /etc/haproxy/haproxy.cfg`)
	}
}

// settled waits until the cluster has nothing left to do.
func (c *cluster) settled(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	require.NoError(t, c.WaitSettled(ctx, "lb-1"))
}

// allOnline waits until every balancer is an online member, and none is still joining.
func (c *cluster) allOnline(t testing.TB) {
	t.Helper()
	eventually(t, time.Minute, "every balancer is online", func() error {
		out, err := c.try("lb-1", "crm_mon", "-1", "--output-as=xml")
		if err != nil {
			return err
		}
		doc := etree.NewDocument()
		if err := doc.ReadFromString(out); err != nil {
			return err
		}
		online := 0
		for _, n := range doc.FindElements("/pacemaker-result/nodes/node") {
			if n.SelectAttrValue("online", "") == "true" && n.SelectAttrValue("pending", "") == "false" {
				online++
			}
		}
		if want := len(c.Nodes(lab.Balancer)); online != want {
			return fmt.Errorf("%d of %d are", online, want)
		}
		return nil
	})
}

// try runs a command in a node and returns what it printed.
func (c *cluster) try(node string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	out, _, err := c.Exec(ctx, node, args...)
	if wrong := conforms(args, out, err); wrong != nil {
		return out, wrong
	}
	return out, err
}

// conforms is why what hawser has printed with --json is not what its schema says, nil if it is or
// if this was something else.
func conforms(args []string, out string, failed error) error {
	var exit *lab.ExitError
	if args[0] != "hawser" || !slices.Contains(args, "--json") ||
		failed != nil && !errors.As(failed, &exit) {
		return nil
	}
	return schemastest.Conforms(args, []byte(out))
}

// run runs a command in a node, which must succeed.
func (c *cluster) run(t testing.TB, node string, args ...string) string {
	t.Helper()
	out, err := c.try(node, args...)
	require.NoError(t, err, "%s", out)
	return strings.TrimRight(out, "\n")
}

// fails runs a command in a node, which must exit with the code, and returns what it wrote to stdout and stderr.
func (c *cluster) fails(t testing.TB, code int, node string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	out, complaint, err := c.Exec(ctx, node, args...)
	var exit *lab.ExitError
	require.ErrorAs(t, err, &exit, "%v: %s", args, out)
	require.Equal(t, code, exit.Code, "%v: %s%s", args, out, complaint)
	return out + complaint
}

// write puts a file on a node.
func (c *cluster) write(t testing.TB, node, path, content string) {
	t.Helper()
	err := c.Run(t.Context(), node, lab.Command{Args: []string{"dd", "status=none", "of=" + path}, Stdin: strings.NewReader(content)})
	require.NoError(t, err)
}

// token is an API token that may do everything.
func (c *cluster) token() string { return c.Spec().Token }

// epoch is the number of edits that the configuration has seen.
func (c *cluster) epoch(t testing.TB) string {
	t.Helper()
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromString(c.run(t, "lb-1", "cibadmin", "--query")))
	return doc.Root().SelectAttrValue("admin_epoch", "?") + "." + doc.Root().SelectAttrValue("epoch", "?")
}

// eventually asks until the answer is nil, and fails with the last one.
func eventually(t testing.TB, within time.Duration, what string, ask func() error) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		err := ask()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s: %v", within, what, err)
		}
		time.Sleep(50 * time.Millisecond) // between two looks, not instead of one
	}
}

// withoutBootstrap takes what the cluster itself keeps up out of a configuration in crmsh's language.
func withoutBootstrap(shown string) string {
	var kept []string
	for line := range strings.Lines(shown) {
		// crmsh 5 gives a new clone interleave=true, earlier ones and hawser give it what is said
		if !strings.Contains(line, "dc-version") && !strings.Contains(line, "last-lrm-refresh") &&
			strings.TrimSpace(line) != "meta interleave=true" {
			kept = append(kept, strings.TrimRight(line, " \\\n"))
		}
	}
	return strings.Join(kept, "\n")
}
