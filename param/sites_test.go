package param_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/param"
)

func TestSites(t *testing.T) {
	text := "main=lb-1,lb-2 reserve=lb-3"
	all, err := param.ParseSites(text)
	require.NoError(t, err)
	require.Equal(t, []param.Site{{Name: "main", Nodes: []string{"lb-1", "lb-2"}},
		{Name: "reserve", Nodes: []string{"lb-3"}}}, all)
	require.Equal(t, text, param.FormatSites(all))
	require.Equal(t, "reserve", param.SiteOf(all, "lb-3"))
	require.Empty(t, param.SiteOf(all, "lb-4"))
	for wrong, why := range map[string]string{
		"main":                "SITE=NODE",
		"main=":               "without a name",
		"1=lb-1":              "a site is expected",
		"a=lb-1 b=lb-2,lb-1":  "the node lb-1 twice: in a and in b",
		"a=lb-1 a=lb-2":       "the site a twice",
		"a=lb-1,,lb-2":        "without a name",
		"a=lb-1\tb=lb-2 c/d=": "a site is expected",
	} {
		_, err := param.ParseSites(wrong)
		require.ErrorContains(t, err, why, wrong)
	}
}

func FuzzParseSites(f *testing.F) {
	f.Add("main=lb-1,lb-2 reserve=lb-3")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := param.ParseSites(text)
		if err != nil {
			return
		}
		again, err := param.ParseSites(param.FormatSites(all))
		require.NoError(t, err)
		require.Equal(t, all, again)
	})
}
