package deploy

import (
	"math/rand"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/param"
)

// Whatever the arguments of a program are: from hawser.yaml through the CIB and crm's grammar to
// the agent they stay the same, and a second apply finds nothing to do.
func TestChecksGoRound(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	const letters = `ab"'\;$%&<>#{}[]()*?|~!= ,:-`
	for range 300 {
		args := []string{"/bin/x"}
		for range 1 + random.Intn(3) {
			var word strings.Builder
			for range random.Intn(6) {
				word.WriteRune([]rune(letters)[random.Intn(len([]rune(letters)))])
			}
			args = append(args, word.String())
		}
		command := param.JoinWords(args)
		yaml := "checks: [{name: own, user: nobody, exec: '" + strings.ReplaceAll(command, "'", "''") + "'}, {name: a, url: 'http://a/?x=\";$%27&b', host: 'a;b'}]"
		file := fileOf(t, yaml)
		fake := crmtest.New("lb-1", "lb-2")
		cib := apply(t, fake, file)
		again, err := Diff(file, cib)
		require.NoError(t, err)
		require.Empty(t, again.Changes, command)
		o, ok := cib.Object(contract.HAProxyID)
		require.True(t, ok)
		text := o.String()
		script, err := crm.ParseShell("f", []byte(text))
		require.NoError(t, err, text)
		for _, o := range []crm.Object{o, script.Objects[0]} {
			value, _ := o.(*crm.Primitive).Params.Get(contract.ParamChecks)
			checks, err := param.ParseChecks(value)
			require.NoError(t, err, value)
			require.Equal(t, args, checks[0].Exec, text)
			require.Equal(t, `http://a/?x=";$%27&b`, checks[1].URL)
		}
	}
}
