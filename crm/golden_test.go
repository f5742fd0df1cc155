package crm_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/golden"
	"github.com/hawser-ha/hawser/internal/needs"
)

// The goldens are whole CIBs.
func TestGoldenConfigurations(t *testing.T) {
	verify := needs.Command(t, "crm_verify")
	seed := parse(t, crmtest.Seed("lb-1", "lb-2", "lb-3"))
	apply := func(cur *crm.CIB, objects []crm.Object) *crm.CIB {
		plan, err := crm.Diff(cur, crm.Spec{Objects: objects, Tag: "hawser"})
		require.NoError(t, err)
		return plan.New
	}
	tutorial := apply(seed, crmtest.Tutorial())
	two := slices.Concat(crmtest.Tutorial()[:3], shell(t, `
primitive FloatIP-1 ocf:hawser:floatip params ip=203.0.113.10 op monitor interval=15s
primitive FloatIP-2 ocf:hawser:floatip params ip=203.0.113.11 op monitor interval=15s
colocation FloatIP-1-haproxy inf: FloatIP-1 haproxy-clone
colocation FloatIP-2-haproxy inf: FloatIP-2 haproxy-clone
colocation FloatIP-apart -1000: FloatIP-1 FloatIP-2`))
	spec, err := crm.Edit(seed, shell(t, "property stonith-enabled=true"), nil)
	require.NoError(t, err)
	fenced, err := crm.Diff(seed, spec)
	require.NoError(t, err)

	for name, cib := range map[string]*crm.CIB{
		"tutorial":        tutorial,
		"two-addresses":   apply(tutorial, two),
		"taken-over":      apply(fenced.New, crmtest.Tutorial()),
		"one-of-each":     with(t, shell(t, everything)...),
		"tutorial-undone": apply(tutorial, nil),
	} {
		t.Run(name, func(t *testing.T) {
			golden.Equal(t, name+".xml", string(cib.XML()))
			if name == "tutorial-undone" {
				return // without resources there is nothing that fencing could protect, which crm_verify complains of all the same
			}
			out, err := exec.Command(verify, "--verbose", "--xml-file",
				filepath.Join("testdata", name+".xml")).CombinedOutput()
			require.NoError(t, err, "%s", out)
		})
	}
}
