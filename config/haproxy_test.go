package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const haproxyKeys = "config, binary, extra, monitor, checks, check, min_servers, stop_grace, " +
	"start_timeout, reload_timeout, keeper, max_crashes, crash_window, hang_time, unit, anchor_ip, " +
	"private_ip, metadata_url"

// haproxyAccepted are accepted sections.
func haproxyAccepted() map[string]string {
	return map[string]string{
		"all keys": `
config: /etc/haproxy/conf.d/
binary: /opt/haproxy/haproxy
extra: -m 512 -L "the node" -f /etc/haproxy/shared.cfg
monitor: 10
check: {url: "http://${HAWSER_ANCHOR_IP}/health", timeout: 5s, every: 30s}
min_servers: 1
stop_grace: 2min
start_timeout: 3min
reload_timeout: 300
keeper: off
max_crashes: 20
crash_window: 2h
hang_time: 2min
unit: haproxy@blue.service
anchor_ip: 10.0.0.1
private_ip: fd00::1
metadata_url: http://127.0.0.1:8080/
`,
		"all defaults": `
config: /etc/haproxy/haproxy.cfg
binary: /usr/sbin/haproxy
monitor: 15s
min_servers: 0
stop_grace: 5000ms
keeper: on
max_crashes: 3
crash_window: 1min
hang_time: 10000ms
unit: haproxy.service
metadata_url: http://169.254.169.254
`,
		"a quoted option that is no option": `extra: -L "the -c node"`,
		"no unit":                           "unit: none",
		"most servers":                      "min_servers: 1048576",
		"lengths of time":                   "monitor: 30 sec\nstop_grace: 1HR\ncrash_window: 5000us\nhang_time: 1",
		"truth value":                       "keeper: true",
		"truth value in a word":             "keeper: 'No'",
		"truth value as a number":           "keeper: 0",
		"variables":                         "check: {url: 'https://$HAWSER_NODE:8443/${PATH2}?a=b@c'}",
		"IPv6":                              "check: {url: 'http://[2001:db8::1]:80/'}",
		"mapped address":                    "anchor_ip: '::ffff:10.0.0.1'",
		"long text":                         "extra: >\n  -m 512\n  -L x",
		"anchors":                           "config: &x /etc/x\nbinary: *x",
	}
}

func haproxyRefusals() []refusal {
	return []refusal{
		{name: "wrong types", text: `haproxy:
  config: [a]
  monitor: fast
  min_servers: many
  check: x
`, want: `f:2:11: haproxy.config is a list: expected an absolute path
f:3:12: haproxy.monitor: "fast" is not a length of time: write a whole number and a unit, such as 500ms, 15s or 2m
f:4:16: haproxy.min_servers is the text "many": expected a whole number from 0 to 1048576
f:5:10: haproxy.check is the text "x": expected a mapping with the keys url, timeout, every`},
		{name: "number out of range", text: "haproxy: {min_servers: -1}",
			want: "f:1:24: haproxy.min_servers is -1: expected a whole number from 0 to 1048576"},
		{
			name: "number above",
			text: "haproxy: {min_servers: 1048577}",
			want: "f:1:24: haproxy.min_servers is 1048577: expected a whole number from 0 to 1048576",
		},
		{
			name: "relative path",
			text: "haproxy: {config: haproxy.cfg}",
			want: `f:1:19: haproxy.config: "haproxy.cfg" is not an absolute path: begin with /`,
		},
		{
			name:         "open quote",
			text:         "haproxy: {extra: \"-L 'x\"}",
			want:         `f:1:18: haproxy.extra: "-L 'x" has an opening quote that is never closed`,
			beyondSchema: true,
		},
		{
			name: "the agent's own option",
			text: "haproxy: {extra: -m 512 -sf 1}",
			want: `f:1:18: haproxy.extra: "-m 512 -sf 1" holds -sf, which only the agent may use: take it out`,
		},
		{name: "the agent's own option alone", text: "haproxy: {extra: -c}",
			want: `f:1:18: haproxy.extra: "-c" holds -c, which only the agent may use: take it out`},
		{
			name:         "the agent's own option in quotes",
			text:         `haproxy: {extra: "'-x' y"}`,
			want:         `f:1:18: haproxy.extra: "'-x' y" holds -x, which only the agent may use: take it out`,
			beyondSchema: true,
		},
		{name: "no time at all", text: "haproxy: {monitor: 0}",
			want: `f:1:20: haproxy.monitor: "0" is not a time from 1ms to 24h`},
		{
			name:         "too long a time",
			text:         "haproxy: {monitor: 25h}",
			want:         `f:1:20: haproxy.monitor: "25h" is not a time from 1ms to 24h`,
			beyondSchema: true,
		},
		{
			name: "part of a second",
			text: "haproxy: {monitor: 1.5s}",
			want: `f:1:20: haproxy.monitor: "1.5s" is not a length of time: write a whole number and a unit, such as 500ms, 15s or 2m`,
		},
		{
			name: "check without url",
			text: "haproxy: {check: {every: 10s}}",
			want: "f:1:18: haproxy.check has no url: expected the address that is requested through the balancer, such as http://127.0.0.1/health",
		},
		{
			name: "empty check",
			text: "haproxy: {check: {}}",
			want: "f:1:18: haproxy.check has no url: expected the address that is requested through the balancer, such as http://127.0.0.1/health",
		},
		{
			name: "check of a file",
			text: "haproxy: {check: {url: 'file:///x'}}",
			want: `f:1:24: haproxy.check.url: "file:///x" is not a URL: write http://host:port/path or https://host:port/path`,
		},
		{
			name: "a password in the check",
			text: "haproxy: {check: {url: 'http://admin:secret@127.0.0.1/'}}",
			want: `f:1:24: haproxy.check.url holds a user or a password, which anybody who sees the cluster's configuration could read: leave them out`,
		},
		{
			name: "unit",
			text: "haproxy: {unit: haproxy}",
			want: `f:1:17: haproxy.unit: "haproxy" is not a systemd service: write its whole name, such as haproxy.service, or none`,
		},
		{name: "keeper", text: "haproxy: {keeper: perhaps, max_crashes: 21, crash_window: 0, hang_time: 999ms}",
			want: `f:1:19: haproxy.keeper: "perhaps" is neither on nor off
f:1:41: haproxy.max_crashes is 21: expected a whole number from 1 to 20
f:1:59: haproxy.crash_window: "0" is not a time from 1ms to 24h
f:1:73: haproxy.hang_time: "999ms" is not a time from 1s to 600s`},
		{
			name: "addresses of a node",
			text: "haproxy: {anchor_ip: 'fe80::1%eth0', private_ip: 10.0.0.1/24}",
			want: `f:1:22: haproxy.anchor_ip: "fe80::1%eth0" has a zone: give the address alone, and the interface in its own parameter
f:1:50: haproxy.private_ip: "10.0.0.1/24" is not an IPv4 or IPv6 address`,
		},
		{name: "origin", text: "haproxy: {metadata_url: 'http://u:p@x'}",
			want: `f:1:25: haproxy.metadata_url holds a user or a password: give the origin alone`},
	}
}

func TestHAProxy(t *testing.T) {
	c, err := Parse("f", []byte("haproxy:\n"+indent(haproxyAccepted()["all keys"])))
	require.NoError(t, err)
	h := c.HAProxy
	require.Equal(t, Position{2, 11}, h.ConfigAt)
	require.Equal(t, Position{2, 3}, h.At)
	require.Equal(t, "/etc/haproxy/conf.d", h.Config)
	require.Equal(t, "10s", h.Monitor)
	require.Equal(t, ShortCheck{"http://${HAWSER_ANCHOR_IP}/health", "5s", "30s"}, h.Check)
	require.Equal(t, []Param{
		{"conffile", "/etc/haproxy/conf.d"},
		{"binpath", "/opt/haproxy/haproxy"},
		{"extraconf", `-m 512 -L "the node" -f /etc/haproxy/shared.cfg`},
		{"checks", "check url=http://${HAWSER_ANCHOR_IP}/health every=30s ; servers backend=*"},
		{"stop_grace", "2min"},
		{"keeper", "false"},
		{"max_crashes", "20"},
		{"crash_window", "2h"},
		{"hang_time", "2min"},
		{"unit", "haproxy@blue.service"},
		{"anchor_ip", "10.0.0.1"},
		{"private_ip", "fd00::1"},
		{"metadata_url", "http://127.0.0.1:8080"},
	}, h.Params())
}

// TestNumbersAreDecimal: 010 is 8 in YAML, but its author means 10.
func TestNumbersAreDecimal(t *testing.T) {
	for _, number := range []string{"010", "0x10", "1_0", "0b11", "0o7", "+3"} {
		_, err := Parse("f", []byte("haproxy:\n  min_servers: "+number+"\n"))
		require.EqualError(t, err, "f:2:16: haproxy.min_servers is the number "+number+
			": expected a whole number from 0 to 1048576")
	}
}
