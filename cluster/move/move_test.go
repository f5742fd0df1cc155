package move_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/change"
	"github.com/hawser-ha/hawser/cluster/move"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/outcome"
)

const timeout = 2 * time.Minute

// noon is when the moves begin, after everything in the fake's status.
var noon = time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)

// cluster is one of three nodes that run HAProxy, with FloatIP on lb-1, which stays where it is
// put.
func cluster(t *testing.T, statements ...string) *crmtest.Fake {
	t.Helper()
	c := crmtest.New("lb-1", "lb-2", "lb-3")
	objects := crmtest.Tutorial()
	objects[3].(*crm.Primitive).Meta = crm.Attrs{{Name: "resource-stickiness", Value: "100"}}
	require.NoError(t, c.Edit(objects...))
	write(t, c, statements...)
	return c
}

// write edits the configuration in crmsh's language.
func write(t *testing.T, c *crmtest.Fake, statements ...string) {
	t.Helper()
	script, err := crm.ParseShell("test", []byte(strings.Join(statements, "\n")))
	require.NoError(t, err)
	require.NoError(t, c.Edit(script.Objects...))
}

func mover(c crm.Cluster) *move.Mover {
	return &move.Mover{Cluster: c, Now: func() time.Time { return noon }}
}

// left lists the constraints of moves that are in the configuration.
func left(t *testing.T, c *crmtest.Fake) []string {
	t.Helper()
	cib, err := c.Query(context.Background())
	require.NoError(t, err)
	ids := []string{}
	for _, o := range cib.Objects() {
		if strings.HasPrefix(o.ID(), "hawser-move-") {
			ids = append(ids, o.ID())
		}
	}
	return ids
}

// whereIs is the node of FloatIP, "" if none.
func whereIs(t *testing.T, c *crmtest.Fake) string {
	t.Helper()
	s, err := c.Status(context.Background())
	require.NoError(t, err)
	for _, r := range s.Resources {
		if r.ID == "FloatIP" {
			return r.Node
		}
	}
	return ""
}

// of changes the instances of a resource in the status.
func of(id string, change func(r *crm.ResourceStatus)) func(*crm.Status) {
	return func(s *crm.Status) {
		for i := range s.Resources {
			if s.Resources[i].ID == id {
				change(&s.Resources[i])
			}
		}
	}
}

// node changes lb-2 in the status.
func node(change func(n *crm.NodeStatus)) func(*crm.Status) {
	return func(s *crm.Status) { change(&s.Nodes[1]) }
}

// until is a constraint that ends: id and resource, and where it sends that.
func until(id, node, end string) string {
	return "location " + id + " rule inf: #uname eq " + node + ` and date lt "` + end + `"`
}

func ignore(string) {}

func TestMove(t *testing.T) {
	for _, tc := range []struct{ name, address, to, want string }{
		{"to a node", "FloatIP", "lb-3", "lb-3"},
		{"to any node", "FloatIP", "", "lb-2"},
		{"by the address itself", "203.0.113.10", "", "lb-2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := cluster(t)
			m := mover(c)
			plan, err := m.Plan(t.Context(), tc.address, tc.to, timeout)
			require.NoError(t, err)
			require.Equal(t, []string{"FloatIP", "lb-1", tc.want},
				[]string{plan.Resource, plan.From, plan.To})
			require.False(t, plan.There())
			require.Empty(t, plan.Also)
			require.Zero(t, c.Applied(), "a plan writes nothing")

			var said []string
			c.OnWait(func(context.Context) {
				require.Equal(t, []string{"hawser-move-FloatIP"}, left(t, c),
					"it keeps the address there meanwhile")
				require.Equal(t, tc.want, whereIs(t, c))
			})
			require.NoError(t, m.Move(t.Context(), plan, timeout,
				func(what string) { said = append(said, what) }))
			require.Equal(t, "waiting for FloatIP to move to "+tc.want, said[0])
			require.Empty(t, left(t, c))
			require.Equal(t, tc.want, whereIs(t, c))
		})
	}
}

// What else would happen is said: here, a resource that follows the address.
func TestPlanSaysWhatElseMoves(t *testing.T) {
	c := cluster(t, "primitive web ocf:pacemaker:Dummy")
	plan, err := mover(following{c}).Plan(t.Context(), "FloatIP", "lb-2", timeout)
	require.NoError(t, err)
	require.Equal(t, []string{"move web from lb-1 to lb-2"}, plan.Also)
}

// following is a cluster in which web moves with the address.
type following struct{ *crmtest.Fake }

func (f following) Rehearse(ctx context.Context, p crm.Plan) (crm.Forecast, *crm.CIB, error) {
	forecast, after, err := f.Fake.Rehearse(ctx, p)
	for _, a := range forecast.Actions {
		if a.Task == "move" {
			forecast.Actions = append(forecast.Actions,
				crm.Action{Task: "move", Resource: "web", From: a.From, Node: a.Node})
		}
	}
	return forecast, after, err
}

func TestPlanIsRefused(t *testing.T) {
	for _, tc := range []struct {
		name         string
		resource, to string
		statements   []string
		status       func(*crm.Status)
		kind         outcome.Kind
		says         string
	}{
		{
			"an unknown address", "FloatIP-9", "lb-2", nil, nil, outcome.Usage,
			"there is no floating IP FloatIP-9 in the cluster's configuration; it has FloatIP",
		},
		{
			"a HAProxy", "haproxy", "lb-2", nil, nil, outcome.Usage,
			"haproxy is no floating IP in the cluster's configuration; it has FloatIP",
		},
		{
			"another agent's address", "ip", "lb-2",
			[]string{"primitive ip ocf:heartbeat:IPaddr2 params ip=192.0.2.1"},
			nil, outcome.Usage, "ip is no floating IP",
		},
		{
			"it is not managed", "FloatIP", "lb-2", nil,
			of("FloatIP", func(r *crm.ResourceStatus) { r.Managed = false }), outcome.Resource,
			"FloatIP is not managed (maintenance mode, or is-managed=false), so Pacemaker does " +
				"not move it",
		},
		{
			"it is on two nodes", "FloatIP", "lb-3", nil,
			of("FloatIP", func(r *crm.ResourceStatus) { r.Nodes = []string{"lb-1", "lb-2"} }),
			outcome.Resource,
			"FloatIP is on lb-1 and lb-2 at once, which Pacemaker has to fix first",
		},
		{
			"it is starting", "FloatIP", "lb-2", nil,
			of("FloatIP", func(r *crm.ResourceStatus) { r.Role = "Starting" }), outcome.Resource,
			"FloatIP is just starting",
		},
		{
			"it is stopping", "FloatIP", "lb-2", nil,
			of("FloatIP", func(r *crm.ResourceStatus) { r.Pending = "Stopping" }), outcome.Resource,
			"FloatIP is just stopping",
		},
		{
			"it is stopped", "FloatIP", "lb-2", nil,
			of("FloatIP",
				func(r *crm.ResourceStatus) { *r = crm.ResourceStatus{ID: r.ID, Managed: true} }),
			outcome.Resource,
			"FloatIP is not running on any node, so it cannot be moved: see `hawser status`",
		},
		{
			"an administrator has stopped it", "FloatIP", "lb-2", nil,
			of("FloatIP", func(r *crm.ResourceStatus) {
				*r = crm.ResourceStatus{ID: r.ID, Managed: true, Target: "stopped"}
			}),
			outcome.Resource,
			"FloatIP was stopped by an administrator (target-role=Stopped): `hawser start " +
				"FloatIP` starts it",
		},
		{
			"it has failed", "FloatIP", "lb-2", nil,
			of("FloatIP",
				func(r *crm.ResourceStatus) { r.Failed, r.Reason = true, "the token is refused" }),
			outcome.Resource,
			"not running on any node, so it cannot be moved: the token is refused",
		},
		{
			"an unknown node", "FloatIP", "lb-9", nil, nil, outcome.Usage,
			"the cluster has no node lb-9; it has lb-1, lb-2, lb-3",
		},
		{
			"the node is offline", "FloatIP", "lb-2", nil,
			node(func(n *crm.NodeStatus) { n.Online = false }), outcome.Resource,
			"FloatIP cannot move to lb-2, which is offline",
		},
		{
			"the node is in standby", "FloatIP", "lb-2", nil,
			node(func(n *crm.NodeStatus) { n.Standby = true }), outcome.Resource,
			"which is in standby: `hawser online lb-2` ends that",
		},
		{
			"the node is in maintenance", "FloatIP", "lb-2", nil,
			node(func(n *crm.NodeStatus) { n.Maintenance = true }), outcome.Resource,
			"which is in maintenance: `hawser maintenance off lb-2` ends that",
		},
		{
			"the node has not been fenced", "FloatIP", "lb-2", nil,
			node(func(n *crm.NodeStatus) { n.Unclean = true }), outcome.Resource,
			"which is lost, and has not been fenced",
		},
		{
			"the node is joining", "FloatIP", "lb-2", nil,
			node(func(n *crm.NodeStatus) { n.Pending = true }), outcome.Resource,
			"which is still joining the cluster",
		},
		{
			"the node is shutting down", "FloatIP", "lb-2", nil,
			node(func(n *crm.NodeStatus) { n.Shutdown = true }), outcome.Resource,
			"which is shutting down",
		},
		{
			"HAProxy does not run there", "FloatIP", "lb-2", nil, func(s *crm.Status) {
				s.Resources = slices.DeleteFunc(s.Resources, func(r crm.ResourceStatus) bool {
					return r.ID == "haproxy" && r.Node == "lb-2"
				})
				s.Failures = []crm.Failure{{
					Resource: "haproxy", Node: "lb-2", Task: "start", Meaning: "not installed",
					Reason: "no HAProxy",
				}}
			}, outcome.Resource,
			"FloatIP cannot move to lb-2, where HAProxy is not running as it should: " +
				"start of haproxy on lb-2 failed: not installed: no HAProxy",
		},
		{
			"HAProxy has failed there", "FloatIP", "lb-2", nil,
			of("haproxy", func(r *crm.ResourceStatus) {
				if r.Node == "lb-2" {
					r.Failed, r.Reason = true, "port 80 is in use"
				}
			}), outcome.Resource, "where HAProxy is not running as it should: port 80 is in use",
		},
		{
			"HAProxy does not run on the node that Pacemaker finds", "FloatIP", "", nil,
			of("haproxy", func(r *crm.ResourceStatus) {
				if r.Node == "lb-2" {
					r.Role = "Stopping"
				}
			}), outcome.Resource,
			"FloatIP cannot move to lb-2, where HAProxy is not running as it should",
		},
		{
			"a ban", "FloatIP", "lb-2", []string{"location not-there FloatIP -inf: lb-2"}, nil,
			outcome.Resource,
			"FloatIP cannot move to lb-2: Pacemaker would leave it where it is: " +
				"the constraint not-there keeps it off that node; nothing was changed",
		},
		{
			"a ban by a command", "FloatIP", "lb-2",
			[]string{"location cli-ban-FloatIP-on-lb-2 FloatIP -inf: lb-2"},
			nil, outcome.Resource,
			"the constraint cli-ban-FloatIP-on-lb-2 keeps it off that node; " +
				"`crm resource clear FloatIP` ends that",
		},
		{
			"all others are banned", "FloatIP", "", []string{
				"location a FloatIP -inf: lb-2", "location b FloatIP -inf: lb-3",
			}, nil, outcome.Resource, "no other node can have FloatIP: it would be stopped",
		},
		{
			"another constraint pulls it away afterwards", "FloatIP", "lb-2",
			[]string{"location home FloatIP 500: lb-1"},
			nil, outcome.Resource,
			"FloatIP would not stay on lb-2: when the move is over, Pacemaker would move " +
				"FloatIP from lb-2 to lb-1 (see the location constraints home). Raise its " +
				"resource-stickiness, or remove the constraint that pulls it away",
		},
		{
			"constraints of the first of its group", "FloatIP", "lb-2",
			[]string{"primitive First ocf:hawser:floatip params ip=203.0.113.11",
				"colocation FloatIP-with-First inf: FloatIP First", "location its First 7: lb-1",
				"location home FloatIP 500: lb-1"},
			nil, outcome.Resource, "(see the location constraints home, its)",
		},
		{
			"the first of its group is banned", "FloatIP", "lb-2",
			[]string{"primitive First ocf:hawser:floatip params ip=203.0.113.11",
				"colocation FloatIP-with-First inf: FloatIP First",
				"location not-there FloatIP -inf: lb-2", "location cli-ban-First-on-lb-2 First -inf: lb-2"},
			nil, outcome.Resource, "the constraint cli-ban-First-on-lb-2 keeps First, with which it moves, off " +
				"that node; `crm resource clear First` ends that",
		},
		{
			"it goes back by itself", "FloatIP", "lb-2",
			[]string{"location FloatIP-returns FloatIP 500: lb-1"},
			nil, outcome.Resource,
			"FloatIP would not stay on lb-2: it has failback, and goes back to lb-1 at once. " +
				"`hawser standby lb-1` keeps it away from there",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := cluster(t, tc.statements...)
			if tc.status != nil {
				c.OnStatus(func(_ *crm.CIB, s *crm.Status) { tc.status(s) })
			}
			_, err := mover(c).Plan(t.Context(), tc.resource, tc.to, timeout)
			require.Equal(t, tc.kind, outcome.Of(err), "%v", err)
			require.ErrorContains(t, err, tc.says)
			require.Zero(t, c.Applied())
		})
	}
}

// A HAProxy that is only degraded serves, and where the cluster runs none something else serves the
// address.
func TestPlanWhereHAProxyIsNoObstacle(t *testing.T) {
	c := cluster(t)
	c.OnStatus(func(_ *crm.CIB, s *crm.Status) {
		of("haproxy", func(r *crm.ResourceStatus) { r.Degraded = true })(s)
	})
	_, err := mover(c).Plan(t.Context(), "FloatIP", "lb-2", timeout)
	require.NoError(t, err)

	c = cluster(t)
	require.NoError(t, c.Delete("FloatIP-haproxy", "haproxy-clone", "haproxy"))
	_, err = mover(c).Plan(t.Context(), "FloatIP", "lb-2", timeout)
	require.NoError(t, err)
}

func TestPlanWhenPacemakerFails(t *testing.T) {
	for _, method := range []string{"Query", "Status", "Rehearse"} {
		c := cluster(t)
		c.Fail(method, crm.ErrNotRunning)
		_, err := mover(c).Plan(t.Context(), "FloatIP", "lb-2", timeout)
		require.Equal(t, outcome.Unavailable, outcome.Of(err), method)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c := cluster(t)
	_, err := mover(gone{c, cancel}).Plan(ctx, "FloatIP", "lb-2", timeout)
	require.Equal(t, outcome.Interrupted, outcome.Of(err))
	require.ErrorContains(t, err, "nothing was changed")
}

// gone is a cluster whose caller gives up as soon as a move is played through.
type gone struct {
	*crmtest.Fake
	cancel context.CancelFunc
}

func (g gone) Rehearse(ctx context.Context, p crm.Plan) (crm.Forecast, *crm.CIB, error) {
	g.cancel()
	return g.Fake.Rehearse(ctx, p)
}

// Whatever happens, the constraint does not stay.
func TestMoveThatFailsLeavesNothingBehind(t *testing.T) {
	lost := errors.New("the connection broke")
	for _, tc := range []struct {
		name    string
		happens func(t *testing.T, c *crmtest.Fake, giveUp func())
		timeout time.Duration
		kind    outcome.Kind
		says    string
	}{
		{"it takes too long", func(_ *testing.T, c *crmtest.Fake, _ func()) {
			c.OnWait(func(ctx context.Context) { <-ctx.Done() })
		}, time.Millisecond, outcome.Timeout,
			"FloatIP has not moved to lb-2 within 1ms: the constraint of the move is removed"},
		{"somebody interrupts it", func(_ *testing.T, c *crmtest.Fake, giveUp func()) {
			c.OnWait(func(context.Context) { giveUp() })
		}, timeout, outcome.Interrupted, "interrupted: the constraint of the move is removed"},
		{"waiting fails", func(_ *testing.T, c *crmtest.Fake, _ func()) {
			c.Fail("Wait", crm.ErrNotRunning)
		}, timeout, outcome.Unavailable, "does not answer"},
		{"the status fails", func(_ *testing.T, c *crmtest.Fake, _ func()) {
			c.Fail("Status", crm.ErrNotRunning)
		}, timeout, outcome.Unavailable, "does not answer"},
		{"writing fails", func(_ *testing.T, c *crmtest.Fake, _ func()) {
			c.Fail("Apply", lost)
		}, timeout, outcome.Failed, lost.Error()},
		{"it is written, but that is not known", func(_ *testing.T, c *crmtest.Fake, _ func()) {
			c.LoseAnswer(lost)
		}, timeout, outcome.Failed, lost.Error()},
		{"somebody interrupts the write", func(_ *testing.T, c *crmtest.Fake, giveUp func()) {
			c.OnApply(func() { c.OnApply(nil); giveUp() })
		}, timeout, outcome.Interrupted, "interrupted: the change was not written"},
		{"the quorum is lost", func(_ *testing.T, c *crmtest.Fake, _ func()) {
			c.Fail("Apply", crm.ErrNoQuorum)
		}, timeout, outcome.Unavailable, "no quorum"},
		{"somebody removes the address meanwhile", func(t *testing.T, c *crmtest.Fake, _ func()) {
			c.OnApply(func() {
				c.OnApply(nil)
				require.NoError(t, c.Delete("FloatIP-haproxy", "FloatIP"))
			})
		}, timeout, outcome.Conflict, "nothing was written"},
		{"the agent refuses the address on the node",
			func(_ *testing.T, c *crmtest.Fake, _ func()) {
				c.OnWait(func(context.Context) {
					c.FailResource("FloatIP", "the token is refused")
					c.OnStatus(func(_ *crm.CIB, s *crm.Status) { s.Failures[0].Time = noon })
				})
			}, timeout, outcome.Resource, "FloatIP has not moved to lb-2, it is not on any node: " +
				"start of FloatIP on lb-2 failed: error: the token is refused"},
		{"Pacemaker has brought it back", func(_ *testing.T, c *crmtest.Fake, _ func()) {
			c.OnWait(func(context.Context) {
				c.OnStatus(func(_ *crm.CIB, s *crm.Status) {
					of("FloatIP", func(r *crm.ResourceStatus) { r.Node = "lb-1" })(s)
					s.Failures = []crm.Failure{{
						Resource: "FloatIP", Node: "lb-2", Task: "start", Meaning: "error",
						Reason: "old",
						Time:   noon.Add(-time.Hour),
					}}
				})
			})
		}, timeout, outcome.Resource,
			"FloatIP has not moved to lb-2, it is on lb-1: see `hawser status`"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := cluster(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			m := mover(c)
			plan, err := m.Plan(ctx, "FloatIP", "lb-2", tc.timeout)
			require.NoError(t, err)
			tc.happens(t, c, cancel)
			err = m.Move(ctx, plan, tc.timeout, ignore)
			require.Equal(t, tc.kind, outcome.Of(err), "%v", err)
			require.ErrorContains(t, err, tc.says)
			require.Empty(t, left(t, c))
		})
	}
}

// Two that move the same address do not get into each other's way: the second writes nothing, and
// does not remove what the first has written.
func TestMoveWhileAnotherMovesTheSameAddress(t *testing.T) {
	c := cluster(t)
	m := mover(c)
	plan, err := m.Plan(t.Context(), "FloatIP", "lb-2", timeout)
	require.NoError(t, err)
	c.OnApply(func() {
		c.OnApply(nil)
		write(t, c, until("hawser-move-FloatIP FloatIP", "lb-3", "2030-01-02 12:03:00Z"))
	})
	err = m.Move(t.Context(), plan, timeout, ignore)
	var changed *change.Changed
	require.ErrorAs(t, err, &changed)
	require.Zero(t, c.Applied())
	require.Equal(t, "lb-3", whereIs(t, c))
	require.Equal(t, []string{"hawser-move-FloatIP"}, left(t, c))
}

// Edits of others that have nothing to do with the move are kept, and the move continues.
func TestMoveWhileOthersEdit(t *testing.T) {
	c := cluster(t)
	m := mover(c)
	plan, err := m.Plan(t.Context(), "FloatIP", "lb-2", timeout)
	require.NoError(t, err)
	c.OnApply(func() { c.OnApply(nil); write(t, c, "primitive web ocf:pacemaker:Dummy") })
	require.NoError(t, m.Move(t.Context(), plan, timeout, ignore))
	require.Equal(t, "lb-2", whereIs(t, c))
	require.Empty(t, left(t, c))
}

func TestReleaseThatFailsSaysWhatIsLeft(t *testing.T) {
	c := cluster(t)
	m := mover(c)
	plan, err := m.Plan(t.Context(), "FloatIP", "lb-2", timeout)
	require.NoError(t, err)
	c.OnWait(func(context.Context) { c.Fail("Query", crm.ErrNotRunning) })
	err = m.Move(t.Context(), plan, timeout, ignore)
	require.Equal(t, outcome.Unavailable, outcome.Of(err))
	require.ErrorContains(t, err,
		"the constraint hawser-move-FloatIP could not be removed; Pacemaker obeys it for at most "+
			"3m0s more: the next `hawser move`, or `hawser configure delete hawser-move-FloatIP`, "+
			"removes it")
	require.Equal(t, []string{"hawser-move-FloatIP"}, left(t, c))

	// Time passes, and the next move removes it.
	c.OnWait(nil)
	m.Now = func() time.Time { return noon.Add(time.Hour) }
	require.NoError(t, m.Tidy(t.Context()))
	require.Empty(t, left(t, c))
	require.Equal(t, "lb-2", whereIs(t, c))
}

// What a move that was killed has left is removed by the next one, but not before its time is over:
// until then it may be one that is under way.
func TestStaleConstraints(t *testing.T) {
	over := until("hawser-move-Other Other", "lb-2", "2030-01-02 11:59:57Z")
	soon := until("hawser-move-Other Other", "lb-2", "2030-01-02 11:59:59Z")
	foreign := until("elsewhere Other", "lb-2", "2029-01-02 11:59:00Z")
	const odd = "location hawser-move-Other Other 50: lb-2"
	for _, tc := range []struct {
		name, constraint string
		goes             bool
	}{
		{"its time is over", over, true},
		{"its time may not be over on another node", soon, false},
		{"it has no end", odd, false},
		{"it is no constraint of a move", foreign, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, to := range []string{"lb-2", "lb-1"} { // lb-1: it is there already
				c := cluster(t, "primitive Other ocf:pacemaker:Dummy", tc.constraint)
				id := strings.Fields(tc.constraint)[1]
				m := mover(c)
				plan, err := m.Plan(t.Context(), "FloatIP", to, timeout)
				require.NoError(t, err)
				require.Equal(t, to == "lb-1", plan.There())
				if plan.There() {
					require.NoError(t, m.Tidy(t.Context()))
				} else {
					require.NoError(t, m.Move(t.Context(), plan, timeout, ignore))
				}
				cib, err := c.Query(t.Context())
				require.NoError(t, err)
				_, stays := cib.Object(id)
				require.Equal(t, tc.goes, !stays)
			}
		})
	}
}

// A constraint that a killed move of the same address has left gives way to the new one.
func TestMoveAfterOneThatWasKilled(t *testing.T) {
	c := cluster(t, until("hawser-move-FloatIP FloatIP", "lb-2", "2030-01-02 12:02:00Z"))
	require.Equal(t, "lb-2", whereIs(t, c))
	m := mover(c)
	plan, err := m.Plan(t.Context(), "FloatIP", "lb-3", timeout)
	require.NoError(t, err)
	require.NoError(t, m.Move(t.Context(), plan, timeout, ignore))
	require.Equal(t, "lb-3", whereIs(t, c))
	require.Empty(t, left(t, c))
}

func TestTidyWhenPacemakerFails(t *testing.T) {
	c := cluster(t)
	require.NoError(t, mover(c).Tidy(t.Context()))
	require.Zero(t, c.Applied())
	c.Fail("Query", crm.ErrNotRunning)
	require.ErrorIs(t, mover(c).Tidy(t.Context()), crm.ErrNotRunning)
}
