package crm_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
)

// withProperties is a configuration with these options of the cluster.
func withProperties(t *testing.T, properties map[string]string) *crm.CIB {
	t.Helper()
	set := `<crm_config><cluster_property_set id="cib-bootstrap-options">`
	for name, value := range properties {
		set += `<nvpair id="p-` + name + `" name="` + name + `" value="` + value + `"/>`
	}
	seed := strings.Replace(string(crmtest.Seed("lb-1")), "<crm_config/>",
		set+`</cluster_property_set></crm_config>`, 1)
	cib, err := crm.ParseCIB([]byte(seed))
	require.NoError(t, err)
	return cib
}

// With a stonith-watchdog-timeout of 0, in any unit, no node is left to its watchdog.
func TestWatchdogs(t *testing.T) {
	for _, c := range []struct {
		have, timeout string // "" is not set
		there, used   bool
		wait          time.Duration
		bad           bool
	}{
		{"", "10s", false, false, 10 * time.Second, false},
		{"false", "10s", false, false, 10 * time.Second, false},
		{"true", "", true, false, 0, false},
		{"true", "0", true, false, 0, false},
		{"true", "0s", true, false, 0, false},
		{"true", "0min", true, false, 0, false},
		{"true", "0h", true, false, 0, false},
		{"true", "0ms", true, false, 0, false},
		{"TRUE", "10", true, true, 10 * time.Second, false},
		{"yes", "2min", true, true, 2 * time.Minute, false},
		{"true", "-1", true, true, -1, false},
		{"true", "soon", true, true, 0, true},
	} {
		properties := map[string]string{}
		if c.have != "" {
			properties["have-watchdog"] = c.have
		}
		if c.timeout != "" {
			properties["stonith-watchdog-timeout"] = c.timeout
		}
		cib := withProperties(t, properties)
		there, used := cib.Watchdogs()
		require.Equal(t, [2]bool{c.there, c.used}, [2]bool{there, used}, "%+v", c)
		wait, word, ok := cib.WatchdogTimeout()
		require.Equal(t, c.timeout, word)
		require.Equal(t, !c.bad, ok, "%+v", c)
		if ok {
			require.Equal(t, c.wait, wait, "%+v", c)
		}
	}
}

func TestFencingEnabled(t *testing.T) {
	require.True(t, withProperties(t, nil).FencingEnabled(), "it is the default")
	for word, on := range map[string]bool{
		"true": true, "false": false, "No": false, "0": false, "off": false, "perhaps": true,
	} {
		require.Equal(t, on, withProperties(t, map[string]string{
			"stonith-enabled": word,
		}).FencingEnabled(), word)
	}
}
