package crm_test

import (
	"context"
	"fmt"
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

// BenchmarkGrowth measures what this package itself does in an apply next to others' resources.
func BenchmarkGrowth(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		text := crmtest.Crowd(n, "lb-1", "lb-2", "lb-3")
		cib := parsed(b, text)
		diff := func(cib *crm.CIB) crm.Plan {
			p, err := crm.Diff(cib, crm.Spec{Objects: crmtest.Tutorial(), Tag: "hawser"})
			require.NoError(b, err)
			return p
		}
		plan := diff(cib)
		for _, part := range []struct {
			name string
			do   func()
		}{
			{"ParseCIB", func() { parsed(b, text) }},
			{"Diff", func() { diff(cib) }},
			{"XML", func() { plan.New.XML() }},
			{"All", func() { diff(parsed(b, text)).New.XML() }},
		} {
			b.Run(fmt.Sprintf("%s/%d", part.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					part.do()
				}
			})
		}
	}
}

func parsed(b *testing.B, text []byte) *crm.CIB {
	b.Helper()
	cib, err := crm.ParseCIB(text)
	require.NoError(b, err)
	return cib
}
