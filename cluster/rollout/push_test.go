package rollout

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/outcome"
)

func TestCredentials(t *testing.T) {
	for text, want := range map[string]string{
		"userlist u\n\tuser admin insecure-password hunter2\n": "a user's password",
		"userlist u\n\tuser admin password $5$abc groups g\n":  "a user's password",
		"listen s\n\tstats auth admin:hunter2\n": "the password of " +
			"the statistics page",
		"userlist u\n\tuser admin insecure-password \"${PASSWORD}\"\n":      "",
		"# stats auth admin:hunter2\nfrontend f\n\tstats uri /auth\n":       "",
		"backend b\n\thttp-request auth realm password if { path /p }\n":    "",
		"backend b\n\tserver password 192.0.2.1:80 check # user password\n": "",
	} {
		require.Equal(t, want, credentials("x.cfg", []byte(text)), text)
	}
}

// TestPushPlan: an order travels with the configuration and goes with it, and nothing else changes.
func TestPushPlan(t *testing.T) {
	fake := crmtest.New("lb-1", "lb-2")
	write := func(p crm.Plan, err error) {
		t.Helper()
		require.NoError(t, err)
		require.NoError(t, fake.Apply(t.Context(), p))
	}
	current := func() *crm.CIB {
		cib, err := fake.Query(t.Context())
		require.NoError(t, err)
		return cib
	}
	spec, err := crm.Edit(current(), []crm.Object{
		&crm.Property{Name: "stonith-enabled", Value: "false"},
		&crm.Primitive{Name: "haproxy", Class: "ocf", Provider: "hawser", Type: "haproxy",
			Params: crm.Attrs{{Name: "stop_grace", Value: "7s"}}},
	}, nil)
	require.NoError(t, err)
	write(crm.Diff(current(), spec))
	before := string(current().XML())

	p := &Push{Resource: "haproxy"}
	p.packed, p.Sum = contract.PackConfig([]byte("global\n"))
	order := func(order string) func(string) (string, bool, error) {
		return func(string) (string, bool, error) { return order, order != "", nil }
	}
	write(pushPlan(current(), p, order(p.order(contract.PushCheck))))
	require.Contains(t, string(current().XML()), p.packed)
	require.Contains(t, string(current().XML()), `value="check:`+p.Sum)
	write(pushPlan(current(), p, order(p.order(contract.PushTake))))
	require.Equal(t, 1, strings.Count(string(current().XML()), p.Sum))
	write(pushPlan(current(), p, order("")))
	after := string(current().XML())
	require.NotContains(t, after, "push")
	require.Equal(t, strings.Count(before, "nvpair"), strings.Count(after, "nvpair"))

	empty, err := pushPlan(current(), p, order(""))
	require.NoError(t, err)
	require.True(t, empty.Empty())
}

func TestAnswers(t *testing.T) {
	order := contract.NewPushOrder(contract.PushCheck, contract.Sum([]byte("a"))).String()
	another := contract.NewPushOrder(contract.PushCheck, contract.Sum([]byte("b"))).String()
	status := func(attributes map[string]string) *crm.Status {
		s := &crm.Status{}
		for _, node := range []string{"lb-1", "lb-2"} {
			s.Nodes = append(s.Nodes, crm.NodeStatus{Name: node, Online: true,
				Attributes: map[string]string{contract.PushAttribute(contract.ResourceOf("haproxy")): attributes[node]}})
			s.Resources = append(s.Resources, crm.ResourceStatus{ID: "haproxy", Active: true,
				Managed: true, Node: node})
		}
		return s
	}
	asked := map[string]bool{}
	all, waiting := answersIn(status(map[string]string{"lb-1": order + " ok",
		"lb-2": another + " ok"}), "haproxy", order, asked)
	require.True(t, waiting, "the answer to another order is none")
	require.Equal(t, []NodePush{{Node: "lb-1", Answer: "ok"}, {Node: "lb-2", Answer: "none"}}, all)

	all, waiting = answersIn(status(map[string]string{"lb-1": order + " ok",
		"lb-2": order + " refused: no such file"}), "haproxy", order, asked)
	require.False(t, waiting)
	require.Equal(t, NodePush{Node: "lb-2", Answer: "refused", Reason: "no such file"}, all[1])
	require.Equal(t, "lb-2: no such file", notOK(all))

	gone := status(map[string]string{"lb-1": order + " ok"})
	gone.Nodes[1].Online, gone.Resources = false, gone.Resources[:1]
	all, waiting = answersIn(gone, "haproxy", order, asked)
	require.False(t, waiting, "nobody waits for a node that is gone")
	require.Equal(t, "left", all[1].Answer)
	require.Empty(t, notOK(all))

	restarting := status(map[string]string{"lb-1": order + " ok"})
	restarting.Resources = restarting.Resources[:1]
	_, waiting = answersIn(restarting, "haproxy", order, asked)
	require.True(t, waiting, "a node on which HAProxy is restarted will answer")
}

// TestPushTargets: each node that will miss a push is named with its reason, and an unmanaged one
// is no mistake of the command line.
func TestPushTargets(t *testing.T) {
	status := &crm.Status{
		Nodes: []crm.NodeStatus{{Name: "lb-1", Online: true},
			{Name: "lb-2", Online: true, Standby: true}, {Name: "lb-3", Online: true}},
		Resources: []crm.ResourceStatus{{ID: "haproxy", Active: true, Managed: true, Node: "lb-1"}},
	}
	there, absent, err := pushTargets(status, "haproxy")
	require.NoError(t, err)
	require.Equal(t, []string{"lb-1"}, there)
	require.Len(t, absent, 2)
	require.Contains(t, absent[0].Reason, "standby")
	require.Contains(t, absent[1].Reason, "does not run there")

	status.Resources[0].Managed = false
	_, _, err = pushTargets(status, "haproxy")
	require.Equal(t, outcome.Resource, outcome.Of(err))
	require.ErrorContains(t, err, "lb-1")
}

// TestPushTimesOut checks that the error says what is not known, though Pacemaker has reported
// nothing in time.
func TestPushTimesOut(t *testing.T) {
	fake := crmtest.New("lb-1")
	r := &Roller{Cluster: fake}
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	<-ctx.Done()
	_, err := r.answers(ctx, &Push{Resource: "haproxy"}, "check:abc", map[string]bool{})
	require.Equal(t, outcome.Timeout, outcome.Of(err))
	require.NotContains(t, err.Error(), ": ;")
}
