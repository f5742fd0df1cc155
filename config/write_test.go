package config

import (
	"maps"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"
)

// What is written is read back as the same, and written the same again.
func TestYAML(t *testing.T) {
	texts := accepted()
	maps.Copy(texts, map[string]string{
		"the least":   "haproxy: {}\n",
		"the example": Example(),
		"fencing off": "fencing: off\nhaproxy: {}\n",
		"fencing on":  "fencing: on\nhaproxy: {}\n",
		"a watchdog":  "fencing: {sbd: {watchdog_timeout: 7s}}\nhaproxy: {}\n",
		"sbd":         "fencing: sbd\nhaproxy: {}\n",
		"droplets": `fencing: {droplet: {token_file: /etc/hawser/fence, delay: 0, tag: "a:b",
  droplets: {lb-1: 1001, lb-2: web.example.org, "3": "on"}}}
haproxy: {}
`,
		"all of haproxy": `haproxy:
  config: /etc/haproxy/conf.d
  binary: /usr/local/sbin/haproxy
  extra: "-f '/etc/ha proxy/x.cfg' -dr"
  monitor: 30
  min_servers: 2
  stop_grace: 1min
  keeper: off
  max_crashes: 4
  crash_window: 90s
  unit: none
  anchor_ip: 2001:db8::5
  private_ip: 10.0.0.1
  metadata_url: http://127.0.0.1:8000
  check: {url: 'http://127.0.0.1:80/health?a=b#c', timeout: 3, every: 4s}
`,
		"checks": `haproxy:
  checks:
    - {name: web, url: 'https://www.example.org/', method: HEAD, host: a.example.org,
       status: '200-299', tls: {verify: on, sni: b.example.org, ca_file: /etc/ssl/ca.pem}}
    - {name: db, tcp: '[2001:db8::1]:5432', every: 3s, timeout: 500ms, rise: 4, fall: 5}
    - {name: "123", exec: "/usr/local/bin/x 'a b'", user: nobody}
    - {name: app, backend: app, min_servers: 2}
    - {name: all, backend: '*'}
floating_ips:
  - {name: A, ip: 192.0.2.1, provider: lan, nic: eth0.5, cidr_netmask: 24, needs: [web, "123"]}
  - {name: B, ip: '2001:db8::', provider: lan, needs: []}
  - {name: C, ip: 203.0.113.9, token_file: /etc/hawser/token, api_url: 'https://api.example.org'}
`,
	})
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			read, err := Parse("hawser.yaml", []byte(text))
			require.NoError(t, err)
			written := read.YAML()
			again, err := Parse("hawser.yaml", written)
			require.NoError(t, err, "%s", written)
			require.Equal(t, string(written), string(again.YAML()))
			require.Equal(t, read.HAProxy.Params(), again.HAProxy.Params(), "%s", written)
			require.Equal(t, read.HAProxy.Monitor, again.HAProxy.Monitor)
			require.Equal(t, read.Fencing.Way, again.Fencing.Way)
			require.Equal(t, read.Fencing.Watchdog, again.Fencing.Watchdog)
			require.Equal(t, read.Fencing.Droplet.Params(), again.Fencing.Droplet.Params())
			require.Equal(t, read.Fencing.Droplet.Delay, again.Fencing.Droplet.Delay)
			require.Equal(t, plugs(read), plugs(again))
			require.Len(t, again.Addresses, len(read.Addresses))
			for i := range read.Addresses {
				a, b := read.Addresses[i], again.Addresses[i]
				require.Equal(t, a.Params(), b.Params())
				require.Equal(t, []any{a.Name, a.Monitor, a.NeedsGiven, needed(a.Needs)},
					[]any{b.Name, b.Monitor, b.NeedsGiven, needed(b.Needs)})
			}
		})
	}
}

func needed(needs []Need) []string {
	var all []string
	for _, n := range needs {
		all = append(all, n.Name)
	}
	return all
}

func plugs(c *File) [][2]string {
	var all [][2]string
	for _, n := range c.Fencing.Droplet.Droplets {
		all = append(all, [2]string{n.Node, n.Droplet})
	}
	return all
}

// Parameters become keys again, so that the file gives the same parameters.
func TestTakeParams(t *testing.T) {
	var h HAProxy
	given := []Param{
		{"conffile", "/etc/haproxy/x.cfg"}, {"checks", "web url=http://127.0.0.1/ ; all backend=*"},
		{"stop_grace", "9s"}, {"keeper", "0"},
	}
	left := h.TakeParams(append(given, Param{"pidfile", "/run/x"}, Param{"max_crashes", "many"}))
	require.Equal(t, []Param{{"pidfile", "/run/x"}, {"max_crashes", "many"}}, left)
	for _, p := range given {
		require.True(t, Same("haproxy", p.Name, p.Value, value(h.Params(), p.Name)),
			p.Name)
	}

	var short HAProxy
	require.Empty(t, short.TakeParams([]Param{{"check_url", "http://127.0.0.1/"},
		{"check_timeout", "3s"}, {"min_servers", "2"}}))
	require.Equal(t, ShortCheck{URL: "http://127.0.0.1/", Timeout: "3s"}, short.Check)
	require.Equal(t, 2, short.MinServers)
	var alone HAProxy
	require.Empty(t, alone.TakeParams([]Param{{"check_timeout", "3s"}}))
	require.Zero(t, alone.Check)

	var ip Address
	left = ip.TakeParams([]Param{{"ip", "203.0.113.10"}, {"token", "secret"}, {"nic", "eth0"}})
	require.Equal(t, []Param{{"token", "secret"}}, left)
	require.NoError(t, ip.SetMonitor("20"))
	require.Equal(t, "20s", ip.Monitor)
	require.Error(t, h.SetMonitor("often"))
}

func value(params []Param, name string) string {
	for _, p := range params {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

// Whatever a parameter holds, YAML reads it back as that.
func FuzzQuotedUnlessPlain(f *testing.F) {
	for _, text := range []string{"a", "on", "NO", "12", "1.5", "0x1f", "1e3", "-", "~", "a: b", "a:b", "a#b", "a #b", "'", `"`, `\`,
		"\t", "\n", "é", "\u0085", "\u2028", "\U0001F600", "\x7f", "2001:db8::", "::1", "10:30", "<<", "=", "!", "&a", "*a", "{", "[", "%", "@", "`",
		" a", "a ", "", "null", "-1", "+1", ".5", "1_000", "0o7", ".inf", ".nan", "2001-01-01"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r == 0 || r == 0xFEFF }) {
			return // which no CIB holds
		}
		written := "k: " + quotedUnlessPlain(text, false) + "\n"
		var read map[string]any
		require.NoError(t, yaml.Unmarshal([]byte(written), &read), "%q", written)
		require.Equal(t, text, read["k"], "%q", written)
	})
}
