package status_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
)

// Whatever an administrator has begun, the report names what ends it.
func TestWhatEndsIt(t *testing.T) {
	stopped := func(meta crm.Attrs) []crm.Object {
		return []crm.Object{&crm.Clone{Name: "haproxy-clone", Resource: "haproxy", Meta: meta}}
	}
	target := crm.Attrs{{Name: "target-role", Value: "stopped"}}
	for name, tc := range map[string]struct {
		objects []crm.Object
		says    string
	}{
		"hawser's HAProxy": {append(stopped(target), &crm.Tag{Name: "hawser", Refs: []string{"haproxy", "haproxy-clone"}}),
			"its target role is Stopped: `hawser apply` starts it"},
		"another's":     {stopped(target), "its target role is Stopped: `hawser start haproxy` starts it"},
		"all resources": {nil, "its target role is Stopped"},
	} {
		t.Run(name, func(t *testing.T) {
			s, c := collector(t, func(s *crm.Status) {
				for i := range s.Resources {
					if r := &s.Resources[i]; r.ID == "haproxy" {
						*r = crm.ResourceStatus{ID: "haproxy", Parent: "haproxy-clone", Agent: r.Agent, Managed: true, Role: "Stopped", Target: "Stopped"}
					}
				}
			})
			require.NoError(t, c.Edit(tc.objects...))
			require.Equal(t, tc.says, haproxyOn(t, s.Collect(t.Context()), "lb-2").Reason)
		})
	}
}
