package crm_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
)

func TestSecretsAreNotShown(t *testing.T) {
	before := shell(t, `primitive p ocf:pacemaker:Dummy params rule #uname eq lb-1 do_token=dop_1 params token=dop_2 token_file=/etc/t passwd=dop_3 op monitor interval=10s op_params password=dop_4
group g p params secret=dop_5
rsc_template tt ocf:pacemaker:Dummy params api_key=dop_6`)
	cib := with(t, before...)
	spec, err := crm.Edit(cib, shell(t, "primitive p ocf:pacemaker:Dummy params token=dop_7\ngroup g p\nrsc_template tt ocf:pacemaker:Dummy params api_key=dop_8"), nil)
	require.NoError(t, err)
	plan, err := crm.Diff(cib, spec)
	require.NoError(t, err)
	require.Len(t, plan.Changes, 3)
	for _, c := range plan.Changes {
		for _, text := range []string{fmt.Sprint(c.WithoutSecrets()), crm.WithoutSecrets(c.Old).String(), crm.WithoutSecrets(c.New).String()} {
			require.NotContains(t, text, "dop_")
			require.NotEmpty(t, text)
		}
	}
	require.Contains(t, fmt.Sprint(plan.Changes[1].WithoutSecrets()), "{params token ****** ******}")
	require.Contains(t, crm.WithoutSecrets(plan.Changes[1].Old).String(), "/etc/t")
	require.Contains(t, crm.FormatShell(cib.Objects()), "dop_2", "showing changes nothing")
}

// What crmsh shows has asterisks for passwords. Loading it must not make them the password.
func TestHiddenSecretsAreKept(t *testing.T) {
	cib := with(t, shell(t, `primitive fence stonith:fence_ipmilan params ip=10.0.0.1 password=pw`)...)
	spec, err := crm.Edit(cib, shell(t, `primitive fence stonith:fence_ipmilan params ip=10.0.0.2 password="******"`), nil)
	require.NoError(t, err)
	plan, err := crm.Diff(cib, spec)
	require.NoError(t, err)
	require.Equal(t, []crm.FieldChange{{Name: "params ip", Old: "10.0.0.1", New: "10.0.0.2"}}, plan.Changes[0].Fields())

	_, err = crm.Edit(cib, shell(t, `primitive other stonith:fence_ipmilan params ip=10.0.0.2 password="******"`), nil)
	require.ErrorContains(t, err, `primitive other: params password "******": stands for a hidden secret`)
}
