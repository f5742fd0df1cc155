package config

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fencingAccepted are accepted values.
func fencingAccepted() map[string]string {
	return map[string]string{
		"off":                       "off",
		"false":                     "false",
		"no":                        "No",
		"quoted":                    `"off"`,
		"on":                        "on",
		"true":                      "true",
		"existing":                  "existing",
		"sbd":                       "sbd",
		"sbd, all defaults":         "{sbd: {}}",
		"sbd, empty":                "{sbd: }",
		"sbd, with a time":          "{sbd: {watchdog_timeout: 10}}",
		"sbd, with another time":    "{sbd: {watchdog_timeout: 1min}}",
		"sbd, with whole seconds":   "{sbd: {watchdog_timeout: 2000ms}}",
		"droplet":                   "{droplet: {token_file: /t}}",
		"droplet, nodes by name":    "{droplet: {token_file: /t, droplets: {lb-1: web.lb-1, lb_2.x: lb-2}}}",
		"droplet, no nodes":         "{droplet: {token_file: /t, droplets: {}}}",
		"droplet, without delay":    "{droplet: {token_file: /t, delay: 0}}",
		"droplet, without delay 0s": "{droplet: {token_file: /t, delay: 0s}}",
		"droplet, all keys": `
  droplet:
    token_file: /etc/hawser/fence-token
    droplets:
      lb-2: 1002
      lb-1: web.lb-1
    tag: env:prod
    delay: 20s
    monitor: 1h
    api_url: http://127.0.0.1:1/
    metadata_url: http://127.0.0.1:2
`,
	}
}

func fencingRefusals() []refusal {
	return []refusal{
		{name: "fencing perhaps", text: "haproxy:\nfencing: perhaps",
			want: `f:2:10: fencing is "perhaps": expected ` + fencingExpected},
		{name: "nothing behind fencing", text: "haproxy:\nfencing:",
			want: `f:2:10: fencing is empty: expected ` + fencingExpected},
		{name: "a list of fencing", text: "haproxy:\nfencing: [sbd]",
			want: `f:2:10: fencing is a list: expected ` + fencingExpected},
		{
			name: "droplet without a token",
			text: "haproxy:\nfencing: droplet",
			want: "f:2:10: fencing is droplet, without the token_file that it needs: write `fencing: {droplet: {token_file: /etc/hawser/fence-token}}`",
		},
		{
			name: "droplet with nothing",
			text: "haproxy:\nfencing: {droplet: {tag: a}}",
			want: `f:2:20: fencing.droplet has no token_file: expected the path of a file with an API token that may read droplets and switch them off and on, readable by root only`,
		},
		{
			name: "fencing of two kinds",
			text: "haproxy:\nfencing:\n  sbd: {}\n  droplet: {token_file: /t}\n",
			want: `f:3:3: fencing has both sbd and droplet: expected one of them`,
		},
		{name: "fencing of no kind", text: "haproxy:\nfencing: {}\n",
			want: `f:2:10: fencing is empty: expected ` + fencingExpected},
		{name: "fencing of another kind", text: "haproxy:\nfencing: {ipmi: {}}\n",
			want: `f:2:11: fencing.ipmi is not a known key: known are sbd, droplet`},
		{
			name:         "part of a second",
			text:         "haproxy:\nfencing: {sbd: {watchdog_timeout: 2500ms}}\n",
			want:         `f:2:35: fencing.sbd.watchdog_timeout: "2500ms" is not a time in whole seconds`,
			beyondSchema: true,
		},
		{name: "droplets", text: `haproxy:
fencing:
  droplet:
    token_file: fence-token
    droplets: {lb-1: 1001, lb-1: 1002, "lb;2": 7, lb-3: "a b", lb-4: 1001, lb-5: [1]}
    tag: "a b"
    delay: soon
    api_url: ftp://x
    token: secret
`, want: `f:4:17: fencing.droplet.token_file is not an absolute path: begin with /
f:5:28: fencing.droplet.droplets.lb-1 is given twice: the first is in line 5
f:5:40: fencing.droplet.droplets.lb;2 cannot be the name of a node: write letters, digits, dots, dashes and underscores
f:5:57: fencing.droplet.droplets.lb-3 is "a b": expected the id or the name of a droplet: letters, digits, dots and dashes
f:5:70: fencing.droplet.droplets.lb-4: droplet 1001 is already assigned to another node (line 5): fencing one would power off the other
f:5:82: fencing.droplet.droplets.lb-5 is a list: expected the id or the name of a droplet: letters, digits, dots and dashes
f:6:10: fencing.droplet.tag: "a b" is not a tag: write letters, digits, colons, dashes and underscores
f:7:12: fencing.droplet.delay: "soon" is not a length of time: write a whole number and a unit, such as 500ms, 15s or 2m
f:8:14: fencing.droplet.api_url: "ftp://x" is not an origin: write http://host:port or https://host
f:9:5: fencing.droplet.token: a secret does not belong here, everyone who may read the cluster's configuration would see it: write it to a file that only root can read and name that in token_file`},
		{
			name:         "one droplet for two nodes",
			text:         "haproxy:\nfencing: {droplet: {token_file: /t, droplets: {a: 1, b: 1}}}",
			want:         `f:2:57: fencing.droplet.droplets.b: droplet 1 is already assigned to another node (line 2): fencing one would power off the other`,
			beyondSchema: true,
		},
		{
			name: "a list of droplets",
			text: "haproxy:\nfencing: {droplet: {token_file: /t, droplets: [1, 2]}}",
			want: `f:2:47: fencing.droplet.droplets is a list: expected a mapping, each entry node: droplet`,
		},
	}
}

func TestFencing(t *testing.T) {
	for text, want := range map[string]FencingWay{
		"off": FencingOff, "false": FencingOff, "No": FencingOff, `"off"`: FencingOff,
		"existing": FencingOn, "on": FencingOn, "true": FencingOn,
		"sbd": FencingSBD, "{sbd: {}}": FencingSBD, "{sbd: }": FencingSBD,
		"{droplet: {token_file: /t}}": FencingDroplet,
	} {
		c, err := Parse("f", []byte("haproxy:\nfencing: "+text+"\n"))
		require.NoError(t, err, text)
		require.Equal(t, want, c.Fencing.Way, text)
		if want == FencingSBD {
			require.Equal(t, 5*time.Second, c.Fencing.Watchdog, text)
		}
	}
	c, err := Parse("f", []byte("haproxy:\n"))
	require.NoError(t, err)
	require.Equal(t, FencingUnset, c.Fencing.Way)
}

func TestWatchdogTimeout(t *testing.T) {
	c, err := Parse("f", []byte("haproxy:\nfencing: {sbd: {watchdog_timeout: 1min}}\n"))
	require.NoError(t, err)
	require.Equal(t, time.Minute, c.Fencing.Watchdog)
}

func TestDroplets(t *testing.T) {
	c, err := Parse("f", []byte("haproxy:\nfencing:"+fencingAccepted()["droplet, all keys"]))
	require.NoError(t, err)
	d := c.Fencing.Droplet
	require.Equal(t,
		[]NodeDroplet{{"lb-2", "1002", Position{6, 7}}, {"lb-1", "web.lb-1", Position{7, 7}}},
		d.Droplets)
	require.Equal(t, Position{4, 17}, d.TokenFileAt)
	require.Equal(t, []string{"20s", "1h"}, []string{d.Delay, d.Monitor})
	require.Equal(t, []Param{
		{"token_file", "/etc/hawser/fence-token"}, {"tag", "env:prod"},
		{"api_url", "http://127.0.0.1:1"}, {"metadata_url", "http://127.0.0.1:2"},
	}, d.Params())
	require.Equal(t, "1002", d.Plug("lb-2"))
	require.Equal(t, "lb-3", d.Plug("lb-3"))

	c, err = Parse("f", []byte("haproxy:\nfencing: {droplet: {token_file: /t}}"))
	require.NoError(t, err)
	require.Equal(t, []string{"15s", "5min"},
		[]string{c.Fencing.Droplet.Delay, c.Fencing.Droplet.Monitor})
	for _, none := range []string{"0", "0s"} {
		c, err = Parse("f",
			[]byte("haproxy:\nfencing: {droplet: {token_file: /t, delay: "+none+"}}"))
		require.NoError(t, err)
		require.Empty(t, c.Fencing.Droplet.Delay)
	}
}
