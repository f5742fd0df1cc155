package crm_test

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
)

// What the schema refuses is said in words of the object, once, and without libxml2's own.
func TestSchemaInPlainWords(t *testing.T) {
	seed, err := os.ReadFile(filepath.Join("testdata", "small-cluster.xml"))
	require.NoError(t, err)
	for _, tc := range []struct{ text, says string }{
		{"property stonith_enabled=false", "nvpair cib-bootstrap-options-stonith_enabled: its name or its value is missing or not accepted (names of options have - where others have _)"},
		{"xml <rsc_location id='l' rsc='a'><rule id-ref='r1'/></rsc_location>", `rule: id-ref names "r1", which does not exist`},
		{"rsc_ticket l T: nobody", `rsc_ticket l: rsc names "nobody", which does not exist`},
		{"xml <rsc_ticket id='l' rsc='a' ticket='T' loss-policy='shrug'/>", `rsc_ticket l: loss-policy="shrug" is not accepted here`},
		{"primitive p Dummy op monitor interval=10s on-fail=shrug", "op p-monitor-10s: something in it is missing, or has a value that is not accepted"},
		{"xml <primitive id='p' class='ocf' provider='x' type='y'><frob id='f'/></primitive>", "frob f: this is not accepted inside <primitive>"},
		{"xml <alert id='x'/>", "alert"},
		{"xml <rsc_location id='l' rsc='a'><rule id='r' score='1'/></rsc_location>", "rule r: something in it is missing, or has a value that is not accepted"},
	} {
		t.Run(tc.text, func(t *testing.T) {
			tools, _ := onFile(t, seed)
			cib, err := tools.Query(t.Context())
			require.NoError(t, err)
			plan, err := load(cib, tc.text)
			require.NoError(t, err)
			_, err = tools.Verify(t.Context(), plan)
			require.ErrorIs(t, err, crm.ErrRefused)
			if !strings.Contains(err.Error(), tc.says) { // Pacemaker 3.0 names no line: not always is it clear which one
				element, rest, _ := strings.Cut(tc.says, ": ")
				tag, _, _ := strings.Cut(element, " ")
				tag = cmp.Or(map[string]string{"op": "operations", "alert": "alerts"}[tag], tag) // what is around it
				require.ErrorContains(t, err, "configuration: "+tag+": "+rest)
			}
			for _, raw := range []string{"Element ", "interleave", "Relax", "/tmp/", "hawser-plan", ";"} {
				require.NotContains(t, strings.TrimPrefix(err.Error(), "Pacemaker refuses the configuration: "), raw)
			}
		})
	}
}

// Where nothing names an element, no file of ours is named either.
func TestASchemaThatDoesNotExist(t *testing.T) {
	seed, err := os.ReadFile(filepath.Join("testdata", "small-cluster.xml"))
	require.NoError(t, err)
	tools := script(t, "crm_verify", `echo "$3:7: parser error : odd" >&2; exit 78`)
	tools.Env = []string{}
	require.NoError(t, os.WriteFile(filepath.Join(tools.Dir, "crm_diff"), []byte("#!/bin/sh\necho x; exit 1\n"), 0o700))
	cib, err := crm.ParseCIB(seed)
	require.NoError(t, err)
	plan, err := load(cib, "property a=b")
	require.NoError(t, err)
	_, err = tools.Verify(t.Context(), plan)
	require.ErrorContains(t, err, "the configuration:7: parser error : odd")
}
