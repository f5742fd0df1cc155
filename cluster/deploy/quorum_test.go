package deploy

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
)

// alone is a cluster of which only one node is seen.
type alone struct{ *crmtest.Fake }

func (a alone) Query(ctx context.Context) (*crm.CIB, error) {
	cib, err := a.Fake.Query(ctx)
	if err != nil {
		return nil, err
	}
	return crm.ParseCIB([]byte(strings.Replace(string(cib.XML()), `have-quorum="1"`, `have-quorum="0"`, 1)))
}

func (a alone) Configuration(ctx context.Context) (*crm.CIB, error) { return a.Query(ctx) }

// Where nothing is to be done, and nothing runs either, that is said.
func TestPlanWithoutQuorum(t *testing.T) {
	d, c, _ := deployed(t)
	d.Cluster = alone{c}
	p, err := d.Plan(t.Context(), parse(t, simple), false)
	require.NoError(t, err)
	require.True(t, p.Changes.Empty())
	require.Contains(t, strings.Join(p.Warnings, "\n"), "no quorum here")
}
