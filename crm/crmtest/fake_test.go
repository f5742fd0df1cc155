package crmtest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
)

func TestFakeConforms(t *testing.T) {
	crmtest.Conform(t, func(*testing.T) crm.Cluster { return crmtest.New("lb-1", "lb-2", "lb-3") })
}

func TestFakeFailsByName(t *testing.T) {
	ctx := context.Background()
	f := crmtest.New("lb-1")
	boom := errors.New("boom")
	f.Fail("Apply", boom)
	cib, err := f.Query(ctx)
	require.NoError(t, err)
	plan, err := crm.Diff(cib, crm.Spec{Objects: crmtest.Tutorial(), Tag: "hawser"})
	require.NoError(t, err)
	require.ErrorIs(t, f.Apply(ctx, plan), boom)
	require.Zero(t, f.Applied())
	require.NoError(t, f.Apply(ctx, plan))
	require.Equal(t, 1, f.Applied())
}

func TestFakeEditMakesPlansStale(t *testing.T) {
	ctx := context.Background()
	f := crmtest.New("lb-1")
	cib, err := f.Query(ctx)
	require.NoError(t, err)
	plan, err := crm.Diff(cib, crm.Spec{Objects: crmtest.Tutorial(), Tag: "hawser"})
	require.NoError(t, err)
	require.NoError(t, f.Edit(&crm.Property{Name: "cluster-name", Value: "x"}))
	require.ErrorIs(t, f.Apply(ctx, plan), crm.ErrStale)
	require.NoError(t, f.Delete("cib-bootstrap-options-cluster-name"))
}

func TestFakeResourceFails(t *testing.T) {
	ctx := context.Background()
	f := crmtest.New("lb-1", "lb-2")
	require.NoError(t, f.Edit(crmtest.Tutorial()...))
	f.FailResource("FloatIP", "the token is refused")
	s, err := f.Status(ctx)
	require.NoError(t, err)
	require.Len(t, s.Failures, 1)
	require.Equal(t, "the token is refused", s.Failures[0].Reason)
}

func TestFakeConformsLive(t *testing.T) {
	crmtest.ConformLive(t, crmtest.New("lb-1", "lb-2"),
		"lb-1")
}
