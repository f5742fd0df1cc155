package ocf_test

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/ocf/ocftest"
)

func TestMetaDataPassesBothSchemas(t *testing.T) {
	xmllint := needs.Command(t, "xmllint")
	meta := ocftest.New(t, newToy, nil).Run("meta-data", nil)
	require.Equal(t, ocf.Success, meta.Code)

	const schema = "/usr/share/pcs/data/ocf-1.1.rng"
	needs.File(t, schema)
	dtd, err := filepath.Abs("../share/ra-api-1.1.dtd")
	require.NoError(t, err)
	needs.File(t, "/usr/share/resource-agents/ra-api-1.dtd") // which that one reads
	require.Contains(t, meta.Stdout, `SYSTEM "/usr/share/hawser/ra-api-1.1.dtd">`)
	require.NotContains(t, meta.Stdout, "ATTLIST", "Pacemaker 3.0.0 takes declarations for a fault")
	for name, args := range map[string][]string{
		"OCF 1.1, the schema of pcs":                         {"--noout", "--relaxng", schema, "-"},
		"OCF 1.0 with what 1.1 added, the DTD that it names": {"--noout", "--dtdvalid", dtd, "-"},
	} {
		cmd := exec.Command(xmllint, args...)
		cmd.Dir = "/usr/share/resource-agents"
		cmd.Stdin = bytes.NewBufferString(meta.Stdout)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s: %s\n%s", name, out, meta.Stdout)
	}
	for _, want := range []string{
		`<parameter name="state" unique="1" unique-group="state">`,
		// not required: its older name may be given instead
		`<parameter name="file" unique="1" unique-group="file">`,
		`<parameter name="every" reloadable="1">`,
		`<content type="string" default="1500ms"></content>`,
		`<content type="integer" default="3"></content>`,
		`<action name="monitor" timeout="20s" interval="60s" depth="10"></action>`,
		`<action name="reload" timeout="20s"></action>`,
		`It is for tests &lt;only&gt; &amp; nothing else.`,
	} {
		require.Contains(t, meta.Stdout, want)
	}
}
