package pacemaker

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/doctor/internal/bench"
)

// give gives HAProxy a parameter.
func give(name, value string) string {
	return "crm_resource --resource haproxy --set-parameter " + name + " --parameter-value '" + value + "'"
}

// rule is a location rule on the result of a check.
func rule(address, check, score string) string {
	id := address + check
	return `cibadmin --create --scope constraints --xml-text '<rsc_location id="` + id + `" rsc="` + address + `"><rule id="` + id + `-r" score="` + score +
		`"><expression id="` + id + `-e" attribute="hawser-haproxy-check-` + check + `" operation="ne" value="failed"/></rule></rsc_location>'`
}

// provokePreferences provokes the findings of the check check-preferences, of one of the two addresses.
func provokePreferences() []provoked {
	all := func(commands ...string) func(*testing.T, *bench.Cluster) {
		return sh(strings.Join(append(commands, give("min_servers", "1"), rule("FloatIP6", "servers", "50000")), "; "))
	}
	byHand := `cibadmin --delete --scope tags --xml-text '<tag id="hawser"/>'`
	return []provoked{
		{name: "written by an older version", provoke: all(), want: doctor.Note, says: "compares the result of the check servers", live: true},
		{name: "no rule", provoke: all(byHand), want: doctor.Note, says: "compares the result of the check servers"},
		{name: "one rule of two", provoke: all(byHand, give("check_url", "http://127.0.0.1/"), rule("FloatIP", "servers", "50000"), rule("FloatIP6", "check", "50000")),
			want: doctor.Note, says: "compares the result of the check check"},
		{name: "too weak", provoke: all(rule("FloatIP", "servers", "50")), want: doctor.Note, says: "is worth 50"},
		{name: "nobody does them", provoke: sh(give("checks", "web url=http://127.0.0.1/") + "; " + give("keeper", "false")),
			want: doctor.Warning, says: "neither a keeper nor a monitor of OCF_CHECK_LEVEL 10"},
	}
}

// What hawser wrote follows hawser.yaml, and a rule that is strong enough is right.
func TestPreferencesThatAreRight(t *testing.T) {
	for name, commands := range map[string][]string{
		"no checks":           {"true"},
		"a rule":              {give("min_servers", "1"), rule("FloatIP", "servers", "50000")},
		"an infinite rule":    {give("min_servers", "1"), rule("FloatIP", "servers", "INFINITY")},
		"written by hawser":   {give("checks", "web url=http://127.0.0.1/")},
		"min_servers=0 is no": {give("min_servers", "0")},
	} {
		t.Run(name, func(t *testing.T) {
			b := bench.New(t)
			b.Sh(t, strings.Join(commands, "; "))
			v, err := (&Cluster{Pacemaker: b}).read(t.Context())
			require.NoError(t, err)
			for _, f := range checkPreferences(v) {
				require.Equal(t, "FloatIP6", f.Subject, "%v", f) // which no command gives a rule
			}
		})
	}
}
