package node_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/doctor"
)

func TestFenceDroplet(t *testing.T) {
	w := newWorld(t)
	device := func(hosts string) {
		w.fences = `<primitive id="fence" class="stonith" type="fence_droplet">` +
			`<instance_attributes id="fi">` + nv("pcmk_host_map", hosts) + nv(
			"metadata_url", "http://192.0.2.1") +
			`</instance_attributes></primitive>`
	}
	w.Droplet = func(_ context.Context, metadata string) (string, error) {
		require.Equal(t, "http://192.0.2.1", metadata)
		return "1007", nil
	}
	for _, well := range []string{
		"lb-1:1007;lb-2:1002", "lb-2:1002 LB-1=1007", "lb-1:web;lb-2:1002", "lb-2:1002",
	} {
		device(well)
		require.Empty(t, w.finds("fence-droplet"), well)
	}
	device("lb-1:1001;lb-2:1002")
	w.findsOne("fence-droplet", doctor.Error,
		"fence has the droplet 1001 for lb-1, and this is the droplet 1007", "hawser apply")
	w.Droplet = func(context.Context, string) (string, error) {
		return "", errors.New("the metadata service does not answer")
	}
	unknown := 0
	for _, f := range doctor.Run(t.Context(), w.Checks()).Findings {
		if f.Check == "fence-droplet" {
			unknown++
			require.Equal(t, doctor.Unknown, f.Severity)
			require.Contains(t, f.What,
				"whether this is the droplet 1001, which fence has for lb-1: the metadata "+
					"service does not answer")
		}
	}
	require.Equal(t, 1, unknown)
}
