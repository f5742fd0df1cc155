package crm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
)

// BenchmarkTools measures each step of an apply with Pacemaker's own tools, on a file.
func BenchmarkTools(b *testing.B) {
	ctx := context.Background()
	tools, _ := onFile(b, crmtest.Seed("lb-1", "lb-2", "lb-3"))
	cib, err := tools.Query(ctx)
	require.NoError(b, err)
	fresh := func() crm.Plan {
		p, err := crm.Diff(cib, crm.Spec{Objects: crmtest.Tutorial(), Tag: "hawser"})
		require.NoError(b, err)
		return p
	}
	b.Run("Query", func(b *testing.B) {
		for b.Loop() {
			_, err := tools.Query(ctx)
			require.NoError(b, err)
		}
	})
	b.Run("Diff", func(b *testing.B) {
		for b.Loop() {
			fresh()
		}
	})
	b.Run("Check", func(b *testing.B) {
		for b.Loop() {
			_, err := tools.Check(ctx, fresh())
			require.NoError(b, err)
		}
	})
	b.Run("Verify", func(b *testing.B) {
		for b.Loop() {
			_, err := tools.Verify(ctx, fresh())
			require.NoError(b, err)
		}
	})
	b.Run("Status", func(b *testing.B) {
		for b.Loop() {
			_, err := tools.Status(ctx)
			require.NoError(b, err)
		}
	})
}
