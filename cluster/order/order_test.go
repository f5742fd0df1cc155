package order_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/change"
	"github.com/hawser-ha/hawser/cluster/order"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/outcome"
)

func cluster(t *testing.T) (*crmtest.Fake, crm.Snapshot) {
	t.Helper()
	c := crmtest.New("lb-1", "lb-2")
	require.NoError(t, c.Edit(crmtest.Tutorial()...))
	now, err := crm.Read(t.Context(), c)
	require.NoError(t, err)
	return c, now
}

func stop(cib *crm.CIB) (crm.Plan, error) { return change.Stopping(cib, []string{"FloatIP"}) }

func TestChange(t *testing.T) {
	c, now := cluster(t)
	o, err := order.Change(t.Context(), c, now, stop)
	require.NoError(t, err)
	require.False(t, o.Done)
	require.Len(t, o.Effect.Unserved(), 1)
	require.Zero(t, c.Applied(), "an order that is only made changes nothing")
	require.NoError(t, o.Do(t.Context(), c))
	require.Equal(t, 1, c.Applied())
	require.NoError(t, o.Verdict(t.Context(), c, time.Now()))

	// Once more there is nothing to do.
	now, err = crm.Read(t.Context(), c)
	require.NoError(t, err)
	o, err = order.Change(t.Context(), c, now, stop)
	require.NoError(t, err)
	require.True(t, o.Done)
	require.NoError(t, o.Do(t.Context(), c))
	require.NoError(t, order.Nothing("it is so").Do(t.Context(), c))
	require.Equal(t, 1, c.Applied())
}

// Somebody else's edit is never lost; if the order would be another, nothing is written.
func TestDoAfterSomebodyElse(t *testing.T) {
	c, now := cluster(t)
	o, err := order.Change(t.Context(), c, now, stop)
	require.NoError(t, err)
	require.NoError(t, c.Edit(&crm.Primitive{Name: "web", Class: "ocf", Provider: "pacemaker", Type: "Dummy"}))
	require.NoError(t, o.Do(t.Context(), c))

	c, now = cluster(t)
	o, err = order.Change(t.Context(), c, now, stop)
	require.NoError(t, err)
	float, _ := now.CIB.Object("FloatIP")
	changed := *float.(*crm.Primitive)
	changed.Meta = crm.Attrs{{Name: "priority", Value: "5"}}
	require.NoError(t, c.Edit(&changed))
	var conflict *change.Changed
	require.ErrorAs(t, o.Do(t.Context(), c), &conflict)
	require.Zero(t, c.Applied())
}

func TestVerdict(t *testing.T) {
	c, now := cluster(t)
	o, err := order.Change(t.Context(), c, now, func(cib *crm.CIB) (crm.Plan, error) {
		return change.Edit(cib, []crm.Object{&crm.Property{Name: "maintenance-mode", Value: "true"}}, nil)
	})
	require.NoError(t, err)
	before := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	require.NoError(t, o.Verdict(t.Context(), c, before))

	// It fails then.
	c.FailResource("FloatIP", "the token is refused")
	err = o.Verdict(t.Context(), c, before)
	require.ErrorContains(t, err, "start of FloatIP on lb-1 failed: error: the token is refused\n"+
		"FloatIP (203.0.113.10) is not running on any node")
	require.Equal(t, outcome.Resource, outcome.Of(err))
	require.ErrorContains(t, o.Verdict(t.Context(), c, before.Add(time.Hour)), "FloatIP (203.0.113.10) is not running")

	// What does not concern visitors is not the order's.
	c.FailResource("FloatIP", "")
	require.NoError(t, c.Edit(&crm.Primitive{Name: "web", Class: "ocf", Provider: "pacemaker", Type: "Dummy"}))
	c.FailResource("web", "no")
	require.NoError(t, o.Verdict(t.Context(), c, before))

	c.Fail("Status", errors.New("no answer"))
	require.ErrorContains(t, o.Verdict(t.Context(), c, before), "no answer\nthe order was carried out")
}

// An address that was stopped has to be there after it was started, wherever the forecast saw it.
func TestVerdictOnWhatHasToServe(t *testing.T) {
	c, now := cluster(t)
	p, err := stop(now.CIB)
	require.NoError(t, err)
	require.NoError(t, c.Apply(t.Context(), p))
	now, err = crm.Read(t.Context(), c)
	require.NoError(t, err)
	o, err := order.Act(t.Context(), c, now, now.CIB, func(context.Context, crm.Cluster) error { return nil })
	require.NoError(t, err)
	require.NoError(t, o.Verdict(t.Context(), c, time.Now()))
	o.Serving = []string{"FloatIP"}
	require.ErrorContains(t, o.Verdict(t.Context(), c, time.Now()), "FloatIP (203.0.113.10) is not running on any node")
	require.NoError(t, o.Do(t.Context(), c))
}
