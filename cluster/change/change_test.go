package change_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/change"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/outcome"
)

func dummy(id string) *crm.Primitive {
	return &crm.Primitive{Name: id, Class: "ocf", Provider: "pacemaker", Type: "Dummy"}
}

// fresh is a cluster without fencing.
func fresh(t *testing.T) *crmtest.Fake {
	t.Helper()
	c := crmtest.New("lb-1", "lb-2")
	require.NoError(t, c.Edit(&crm.Property{Name: "stonith-enabled", Value: "false"}))
	return c
}

// putting plans one object.
func putting(o crm.Object) change.Planner {
	return func(cib *crm.CIB) (crm.Plan, error) { return change.Edit(cib, []crm.Object{o}, nil) }
}

func planned(t *testing.T, c crm.Cluster, plan change.Planner) crm.Plan {
	t.Helper()
	cib, err := c.Query(t.Context())
	require.NoError(t, err)
	p, err := plan(cib)
	require.NoError(t, err)
	return p
}

func TestCommit(t *testing.T) {
	for _, tc := range []struct {
		name      string
		meanwhile func(c *crmtest.Fake, call int) // before each attempt
		written   bool
		kind      outcome.Kind
		says      string
	}{
		{"nobody else is there", func(*crmtest.Fake, int) {}, true, 0, ""},
		{"another object is edited", func(c *crmtest.Fake, call int) {
			if call == 1 {
				must(c.Edit(dummy("other")))
			}
		}, true, 0, ""},
		{"the same change is made", func(c *crmtest.Fake, call int) {
			if call == 1 {
				must(c.Edit(dummy("web")))
			}
		}, true, 0, ""},
		{"the object is made another way", func(c *crmtest.Fake, call int) {
			if call == 1 {
				web := dummy("web")
				web.Params = crm.Attrs{{Name: "state", Value: "/run/web"}}
				must(c.Edit(web))
			}
		}, false, outcome.Conflict, "not the one that was approved"},
		{"something changes all the time",
			func(c *crmtest.Fake, call int) { must(c.Edit(dummy(fmt.Sprint("other-", call)))) },
			false, outcome.Conflict, "changed 25 times"},
		{"Pacemaker refuses the two together", func(c *crmtest.Fake, call int) {
			if call == 1 {
				must(c.Edit(dummy("other")))
				c.Fail("Verify", crm.ErrRefused)
			}
		}, false, outcome.Usage, "refuses"},
		{"Pacemaker does not answer any more", func(c *crmtest.Fake, call int) {
			if call == 1 {
				must(c.Edit(dummy("other")))
				c.Fail("Query", crm.ErrNotRunning)
			}
		}, false, outcome.Unavailable, "does not answer"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := fresh(t)
			plan := putting(dummy("web"))
			approved := planned(t, c, plan)
			call := 0
			c.OnApply(func() { call++; tc.meanwhile(c, call) })
			err := change.Commit(t.Context(), c, approved, plan)
			c.OnApply(nil)
			if tc.written {
				require.NoError(t, err)
				require.True(t, planned(t, c, plan).Empty())
				return
			}
			require.Equal(t, tc.kind, outcome.Of(err), "%v", err)
			require.ErrorContains(t, err, tc.says)
			require.Zero(t, c.Applied())
		})
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// What the plan would be now is for the caller to show; nothing is printed here.
func TestChangedHasTheNextPlan(t *testing.T) {
	c := fresh(t)
	plan := func(cib *crm.CIB) (crm.Plan, error) {
		o := dummy("web")
		if _, ok := cib.Object("other"); ok {
			o.Params = crm.Attrs{{Name: "state", Value: "/run/web"}}
		}
		return change.Edit(cib, []crm.Object{o}, nil)
	}
	approved := planned(t, c, plan)
	c.OnApply(func() { c.OnApply(nil); must(c.Edit(dummy("other"))) })
	err := change.Commit(t.Context(), c, approved, plan)
	var changed *change.Changed
	require.ErrorAs(t, err, &changed)
	require.Contains(t, changed.Next.Changes[0].New.String(), "state=")
	require.Zero(t, c.Applied())
}

func TestReplanThatFailsIsAConflict(t *testing.T) {
	c := fresh(t)
	calls := 0
	plan := func(cib *crm.CIB) (crm.Plan, error) {
		if calls++; calls > 1 {
			return crm.Plan{}, outcome.Usagef("there is no such node any more")
		}
		return change.Edit(cib, []crm.Object{dummy("web")}, nil)
	}
	approved := planned(t, c, plan)
	c.OnApply(func() { c.OnApply(nil); must(c.Edit(dummy("other"))) })
	err := change.Commit(t.Context(), c, approved, plan)
	require.Equal(t, outcome.Conflict, outcome.Of(err))
	require.ErrorContains(t, err, "nothing was written; now: there is no such node any more")
}

func TestMakeWarnsOfMissingFencingAndWrites(t *testing.T) {
	c := crmtest.New("lb-1")
	var warned []string
	require.NoError(t, change.Make(t.Context(), c, putting(dummy("web")),
		func(w string) { warned = append(warned, w) }))
	require.Len(t, warned, 1)
	require.Contains(t, warned[0], "fencing")
	require.Equal(t, 1, c.Applied())
	require.NoError(t, change.Make(t.Context(), c, putting(dummy("web")), nil))
	require.Equal(t, 1, c.Applied(), "there was nothing to write")
}

// slow has something left to do for as long as its context lasts.
type slow struct{ *crmtest.Fake }

func (s slow) Wait(ctx context.Context, progress func(crm.Progress)) error {
	progress(crm.Progress{Pending: []crm.Pending{{Task: "stop", Resource: "web", Node: "lb-1"}}})
	<-ctx.Done()
	return fmt.Errorf("not settled: %w", ctx.Err())
}

func TestSettle(t *testing.T) {
	var said []string
	progress := func(what string) { said = append(said, what) }
	require.NoError(t, change.Settle(t.Context(), fresh(t), time.Minute, change.Written, progress))

	said = nil
	err := change.Settle(t.Context(), slow{fresh(t)}, time.Millisecond, change.Written, progress)
	require.Equal(t, outcome.Timeout, outcome.Of(err))
	require.ErrorContains(t, err, "not settled within 1ms, waiting for stop web on lb-1")
	require.Equal(t, []string{change.Settling, "waiting for stop web on lb-1"}, said)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = change.Settle(ctx, slow{fresh(t)}, time.Minute, change.Written, progress)
	require.Equal(t, outcome.Interrupted, outcome.Of(err))
	require.ErrorContains(t, err, "interrupted while the cluster settles: the configuration is written, `hawser status`")
	err = change.Settle(ctx, slow{fresh(t)}, time.Minute, "nothing was changed", progress)
	require.ErrorContains(t, err, "settles: nothing was changed, `hawser status`")

	c := fresh(t)
	c.Fail("Wait", crm.ErrNotRunning)
	require.ErrorIs(t, change.Settle(t.Context(), c, time.Minute, change.Written, progress), crm.ErrNotRunning)
}

func TestDescribe(t *testing.T) {
	monitor := crm.Pending{Task: "monitor", Resource: "web", Node: "lb-1"}
	start := crm.Pending{Task: "start", Resource: "web", Node: "lb-1"}
	require.Equal(t, change.Settling, change.Describe(crm.Progress{}))
	require.Equal(t, "waiting for 2 monitors",
		change.Describe(crm.Progress{Pending: []crm.Pending{monitor, monitor}}))
	require.Equal(t, "waiting for start web on lb-1",
		change.Describe(crm.Progress{Pending: []crm.Pending{monitor, start}}))
	require.Equal(t, "waiting for start web on lb-1, start web on lb-1, start web on lb-1, "+
		"start web on lb-1, 2 more",
		change.Describe(crm.Progress{Pending: []crm.Pending{start, start, start, start, start,
			start}}))
}

// unmanaged is a cluster in maintenance.
type unmanaged struct{ *crmtest.Fake }

func (u unmanaged) Status(ctx context.Context) (*crm.Status, error) {
	s, err := u.Fake.Status(ctx)
	if err == nil {
		for i := range s.Resources {
			s.Resources[i].Managed, s.Resources[i].Active = false, true
		}
	}
	return s, err
}

func TestStop(t *testing.T) {
	c := fresh(t)
	require.NoError(t, c.Edit(dummy("web"), dummy("inside"),
		&crm.Clone{Name: "all", Resource: "inside"},
		&crm.Primitive{Name: "fence", Class: "stonith", Type: "null"}))
	ids := []string{"web", "inside", "all", "fence"}
	stop := planned(t, c, func(cib *crm.CIB) (crm.Plan, error) { return change.Stopping(cib, ids) })
	require.Len(t, stop.Changes, 2,
		"the clone stops with its member inside, and the device is not stopped")
	require.NoError(t, change.AllManaged(t.Context(), c, ids))
	require.NoError(t, change.Stop(t.Context(), c, stop, ids, time.Minute, func(string) {}))

	err := change.AllManaged(t.Context(), unmanaged{c}, ids)
	require.Equal(t, outcome.Resource, outcome.Of(err))
	require.ErrorContains(t, err, "nothing was changed")

	err = change.Stop(t.Context(), unmanaged{c}, crm.Plan{}, ids, time.Minute, func(string) {})
	require.Equal(t, outcome.Resource, outcome.Of(err))
	require.ErrorContains(t, err, "web still runs on : it is not managed")

	c.Fail("Wait", errors.New("boom"))
	require.ErrorContains(t, change.Stop(t.Context(), c, crm.Plan{}, ids, time.Minute,
		func(string) {}), "boom\nNothing was deleted, and THEY ARE BEING STOPPED AND STAY STOPPED: web, inside")
}

// Whoever interrupts a removal gets back what it has stopped, with the role that it had before; what
// somebody else did meanwhile stays.
func TestInterruptedStopStartsAgain(t *testing.T) {
	c := fresh(t)
	had := dummy("had")
	had.Meta = crm.Attrs{{Name: "target-role", Value: "Started"}}
	require.NoError(t, c.Edit(dummy("web"), had, dummy("theirs"), dummy("inside"),
		&crm.Clone{Name: "all", Resource: "inside"}))
	ids := []string{"web", "had", "theirs", "inside", "all"}
	stop := planned(t, c, func(cib *crm.CIB) (crm.Plan, error) { return change.Stopping(cib, ids) })
	ctx, giveUp := context.WithCancel(t.Context())
	c.OnWait(func(context.Context) {
		theirs := dummy("theirs")
		theirs.Meta = crm.Attrs{{Name: "target-role", Value: "Master"}}
		must(c.Edit(theirs))
		giveUp()
	})
	err := change.Stop(ctx, c, stop, ids, time.Minute, func(string) {})
	require.Equal(t, outcome.Interrupted, outcome.Of(err))
	require.ErrorContains(t, err, "interrupted: nothing was deleted, and what had been told to stop "+
		"starts again: ")
	cib, err := c.Query(t.Context())
	require.NoError(t, err)
	for id, want := range map[string]string{"web": "", "had": "Started", "theirs": "Master", "all": ""} {
		o, ok := cib.Object(id)
		require.True(t, ok)
		role, _ := crm.MetaOf(o).Get("target-role")
		require.Equal(t, want, role, id)
	}

	// If that cannot be done, nobody is told that all is well.
	again, giveUp := context.WithCancel(t.Context())
	stop = planned(t, c, func(cib *crm.CIB) (crm.Plan, error) { return change.Stopping(cib, ids) })
	c.OnWait(func(context.Context) { giveUp(); c.Fail("Query", crm.ErrNotRunning) })
	err = change.Stop(again, c, stop, ids, time.Minute, func(string) {})
	require.Equal(t, outcome.Interrupted, outcome.Of(err))
	require.ErrorContains(t, err, "THEY ARE BEING STOPPED AND STAY STOPPED: ")
	require.ErrorIs(t, err, crm.ErrNotRunning)
}

// Whether they have stopped is not known: that they were told to is.
func TestStopThatCannotBeFollowed(t *testing.T) {
	c := fresh(t)
	require.NoError(t, c.Edit(dummy("web")))
	ids := []string{"web"}
	stop := planned(t, c, func(cib *crm.CIB) (crm.Plan, error) { return change.Stopping(cib, ids) })
	c.OnWait(func(context.Context) { c.Fail("Status", crm.ErrNotRunning) })
	err := change.Stop(t.Context(), c, stop, ids, time.Minute, func(string) {})
	require.ErrorIs(t, err, crm.ErrNotRunning)
	require.ErrorContains(t, err, "asking whether the resources have stopped: ")
	require.ErrorContains(t, err, "THEY ARE BEING STOPPED AND STAY STOPPED: web")
}

func TestWriteAndUndo(t *testing.T) {
	c := fresh(t)
	require.NoError(t, change.Write(t.Context(), c, putting(dummy("web"))))
	require.NoError(t, change.Write(t.Context(), c, putting(dummy("web"))))
	require.Equal(t, 1, c.Applied(), "there was nothing to write")
	c.Fail("Query", crm.ErrNotRunning)
	require.ErrorIs(t, change.Write(t.Context(), c, putting(dummy("other"))), crm.ErrNotRunning)

	// What must not stay behind is removed even if the caller has given up.
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, change.Write(gone, c, putting(dummy("other"))), context.Canceled)
	undo := func(cib *crm.CIB) (crm.Plan, error) { return change.Edit(cib, nil, []string{"web"}) }
	require.NoError(t, change.Undo(gone, c, undo))
	cib, err := c.Query(t.Context())
	require.NoError(t, err)
	_, there := cib.Object("web")
	require.False(t, there)
}
