package deploy

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/preflight"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
)

// reading notes what is read of a cluster.
type reading struct {
	*crmtest.Fake
	read []string
}

func (r *reading) Query(ctx context.Context) (*crm.CIB, error) {
	r.read = append(r.read, "everything")
	return r.Fake.Query(ctx)
}

func (r *reading) Configuration(ctx context.Context) (*crm.CIB, error) {
	r.read = append(r.read, "the configuration")
	return r.Fake.Configuration(ctx)
}

// Only a forecast needs the status, which is most of a large cluster's CIB.
func TestPlanReadsTheStatusForAForecastAlone(t *testing.T) {
	file, err := config.Parse("hawser.yaml", []byte("fencing: off\nhaproxy:\n  config: /etc/haproxy/haproxy.cfg\n"))
	require.NoError(t, err)
	for forecast, want := range map[bool]string{true: "everything", false: "the configuration"} {
		c := &reading{Fake: crmtest.New("lb-1", "lb-2")}
		d := Deployer{Cluster: c, Node: preflight.Node{
			HAProxy: func(context.Context, preflight.HAProxy) error { return nil },
		}}
		p, err := d.Plan(context.Background(), file, forecast)
		require.NoError(t, err)
		require.False(t, p.Changes.Empty())
		require.Equal(t, []string{want}, c.read)
		require.NoError(t, d.Apply(context.Background(), p))
	}
}
