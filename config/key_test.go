package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDeclaration keeps the declaration whole: each key says what it is for, and either has keys
// below it or says what a change of it does; its default is a value of its kind.
func TestDeclaration(t *testing.T) {
	for _, k := range paths(new(File).keys(), "") {
		require.NotEmpty(t, k.doc, k.path)
		require.NotEmpty(t, k.kind.words, k.path)
		require.NotEmpty(t, k.kind.schema, k.path)
		require.Equal(t, k.kind.keys == nil || k.name == "fencing" || k.param != "", k.effect != "", k.path)
		require.False(t, k.required && k.def != "", k.path)
		if k.def != "" {
			require.NoError(t, k.kind.set(k.def), k.path)
		}
		if k.param != "" {
			require.NotNil(t, k.kind.text, k.path)
			require.NotNil(t, k.kind.meaning, k.path)
		}
	}
}

// TestDefaultsWrittenOut: a default that is written out is the same as one that is not.
func TestDefaultsWrittenOut(t *testing.T) {
	bare, err := Parse("f", []byte("haproxy: {}"))
	require.NoError(t, err)
	written, err := Parse("f", []byte("haproxy:\n"+indent(haproxyAccepted()["all defaults"])))
	require.NoError(t, err)
	require.Empty(t, bare.HAProxy.Params())
	require.Empty(t, written.HAProxy.Params())
	require.Equal(t, bare.HAProxy.Monitor, written.HAProxy.Monitor)

	for _, defaults := range []string{"", ", provider: digitalocean, monitor: 15s, " +
		"api_url: 'https://api.digitalocean.com/', metadata_url: http://169.254.169.254"} {
		c, err := Parse(
			"f",
			[]byte(
				"haproxy:\nfloating_ips: [{name: a, ip: 203.0.113.1, token_file: /t"+defaults+"}]",
			),
		)
		require.NoError(t, err)
		require.Equal(t,
			[]Param{{"ip", "203.0.113.1"}, {"provider", "digitalocean"}, {"token_file", "/t"}},
			c.Addresses[0].Params())
	}
}

func TestSame(t *testing.T) {
	for _, tc := range []struct {
		agent, parameter, a, b string
		want                   bool
	}{
		{"haproxy", "conffile", "", "/etc/haproxy/haproxy.cfg", true},
		{"haproxy", "conffile", "/etc/haproxy/./haproxy.cfg", "", true},
		{"haproxy", "conffile", "", "/etc/haproxy/other.cfg", false},
		{"haproxy", "stop_grace", "2min", "120s", true},
		{"haproxy", "stop_grace", "", "5", true},
		{"haproxy", "stop_grace", "2min", "2s", false},
		{"haproxy", "crash_window", "60s", "", true},
		{"haproxy", "hang_time", "60s", "1min", true},
		{"haproxy", "hang_time", "", "10000ms", true},
		{"haproxy", "keeper", "", "yes", true},
		{"haproxy", "keeper", "true", "ON", true},
		{"haproxy", "keeper", "", "off", false},
		{"haproxy", "check_timeout", "5000ms", "", true},
		{"haproxy", "min_servers", "0", "", true},
		{"haproxy", "checks", "web url=http://a/ every=2s", "web  url=http://a/ ;", true},
		{"haproxy", "checks", "web url=http://a/ every=2s", "web url=http://a/ every=3s", false},
		{"haproxy", "checks", "", "web url=http://a/", false},
		{"haproxy", "max_crashes", "3", "", true},
		{"haproxy", "unit", "none", "", false},
		{"haproxy", "unit", "haproxy.service", "", true},
		{"haproxy", "extraconf", "-m  512", "-m 512", true},
		{"haproxy", "extraconf", "-m 512", "", false},
		{"haproxy", "extraconf", "'-m 512'", "-m 512", false},
		{"haproxy", "anchor_ip", "::ffff:10.0.0.1", "10.0.0.1", true},
		{"haproxy", "metadata_url", "http://169.254.169.254/", "", true},
		{"haproxy", "generation", "a", "b", false},
		{"haproxy", "generation", "a", "a", true},
		{"floatip", "provider", "", "digitalocean", true},
		{"floatip", "provider", "", "lan", false},
		{"floatip", "api_url", "", "https://api.digitalocean.com", true},
		{"floatip", "ip", "2001:db8:0::1", "2001:db8::1", true},
		{"floatip", "nic", "eth0", "", false},
		{"fence_droplet", "api_url", "", "https://api.digitalocean.com", true},
		{"fence_droplet", "tag", "a", "", false},
		{"IPaddr2", "ip", "1", "2", false},
	} {
		require.Equal(t, tc.want, Same(tc.agent, tc.parameter, tc.a, tc.b), "%v", tc)
		require.Equal(t, tc.want, Same(tc.agent, tc.parameter, tc.b, tc.a), "%v", tc)
	}
}
