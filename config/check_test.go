package config

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/param"
)

// checksAccepted are accepted lists haproxy.checks.
func checksAccepted() map[string]string {
	return map[string]string{
		"every kind": `
- {name: web, url: "http://${HAWSER_ANCHOR_IP}/health", method: HEAD, host: www.example.org, status: "200-299,401", every: 1, timeout: 500ms, rise: 1, fall: 5}
- {name: tls, url: "https://127.0.0.1/", status: 204, tls: {verify: on, sni: www.example.org, ca_file: /etc/hawser/ca.pem}}
- {name: db, backend: db, min_servers: 2}
- {name: all, backend: "*"}
- {name: ring, tcp: "192.0.2.1:5432"}
- {name: six, tcp: "[2001:db8::1]:5432", every: 1h}
- {name: own, exec: '/usr/local/bin/check "a b"', user: nobody}
- {name: uplink, interface: ens192}
- {name: vlan, interface: bond0.17, every: 10s, rise: 3, fall: 2}
`,
		"none": "[]",
		"what the schema takes too": `
- {name: a, exec: '\/bin/true', user: 'machine$'}
- {name: b, exec: "''/bin/true 'e'", user: a.b@c}
- {name: c, url: "http://a/", host: "[::1]:80", tls: {sni: "~"}}
- {name: d, tcp: "${HAWSER_PRIVATE_IP}:0080"}
`,
	}
}

func checkRefusals() []refusal {
	one := func(name, keys, want string, beyond bool) refusal {
		return refusal{name: name, text: "haproxy:\n  checks:\n  - {" + keys + "}\n", want: want, beyondSchema: beyond}
	}
	return []refusal{
		one("no name", `tcp: "a:1"`, "f:3:5: haproxy.checks[0] has no name", false),
		one("no target", "name: web", "f:3:5: haproxy.checks[0] checks nothing: expected one of url, backend, tcp, exec or interface", false),
		one("two targets", `name: web, tcp: "a:1", url: "http://a/"`,
			"f:3:22: haproxy.checks[0] has url and tcp: expected only one of url, backend, tcp, exec or interface", false),
		one("foreign key", `name: web, tcp: "a:1", min_servers: 1`,
			"f:3:42: haproxy.checks[0].min_servers means nothing to a check by tcp: remove it", false),
		one("an interface's time", `name: up, interface: eth0, timeout: 1s`,
			"f:3:42: haproxy.checks[0].timeout means nothing to a check by interface: remove it", false),
		one("no interface's name", `name: up, interface: a/b`,
			`f:3:27: haproxy.checks[0].interface: "a/b" is not the name of a network interface`, false),
		one("an interface and more", `name: up, interface: eth0, tcp: "a:1"`,
			"f:3:27: haproxy.checks[0] has tcp and interface: expected only one of url, backend, tcp, exec or interface", false),
		one("no user", "name: own, exec: /bin/true",
			"f:3:23: haproxy.checks[0] has no user: expected the user as whom the program runs, such as `user: nobody`", false),
		one("rise", `name: web, tcp: "a:1", rise: 0`, "f:3:35: haproxy.checks[0].rise is 0: expected a whole number from 1 to 100", false),
		one("fall", `name: web, tcp: "a:1", fall: 101`, "f:3:35: haproxy.checks[0].fall is 101: expected a whole number from 1 to 100", false),
		one("every", `name: web, tcp: "a:1", every: 500ms`,
			`f:3:36: haproxy.checks[0].every: "500ms" is not a time from 1s to 3600s`, true),
		one("status", `name: web, url: "http://a/", status: 2xx`,
			`f:3:43: haproxy.checks[0].status: "2xx" is not a list of HTTP statuses: write them with commas between, such as 200-299,401`, false),
		one("relative program", "name: own, exec: check, user: nobody",
			`f:3:23: haproxy.checks[0].exec: "check" does not begin with the absolute path of a program`, false),
		one("password", `name: web, url: "http://u:p@a/"`, "f:3:22: haproxy.checks[0].url holds a user or a password, which anybody who sees the cluster's "+
			"configuration could read: leave them out", false),
		{
			name: "no names",
			text: "haproxy:\n  checks:\n  - {tcp: 'a:1'}\n  - {tcp: 'a:2'}\n",
			want: "f:3:5: haproxy.checks[0] has no name\nf:4:5: haproxy.checks[1] has no name",
		},
		one("signed status", `name: web, url: "http://a/", status: "+200"`,
			`f:3:43: haproxy.checks[0].status: "+200" is not a list of HTTP statuses: write them with commas between, such as 200-299,401`, false),
		one("no port", `name: web, tcp: a`, `f:3:22: haproxy.checks[0].tcp: "a" is not host:port, such as 192.0.2.1:5432 or [2001:db8::1]:5432`, false),
		one("no user's name", `name: own, exec: /bin/true, user: "no body"`, `f:3:40: haproxy.checks[0].user: "no body" is not the name of a user`, false),
		one("no host's name", `name: web, url: "http://a/", host: "a b"`,
			`f:3:41: haproxy.checks[0].host: "a b" is not the name of a host, such as www.example.org`, false),
		one("no backend's name", `name: db, backend: "a b"`, `f:3:25: haproxy.checks[0].backend: "a b" is not the name of a backend`, false),
		{
			name: "what Pacemaker cannot write",
			text: "haproxy:\n  checks:\n  - {name: own, exec: '/bin/x é', user: nobody}\n  - {name: web, url: 'http://a/?b&c'}\n",
			want: `f:3:5: the check own has the character "é", which the cluster's configuration cannot hold before a quote, & or <: expected ASCII`, beyondSchema: true,
		},
		{
			name: "two of a name",
			text: "haproxy:\n  checks:\n  - {name: web, tcp: 'a:1'}\n  - {name: web, tcp: 'a:2'}\n",
			want: "f:4:12: the check web is given twice: the first is in line 3", beyondSchema: true,
		},
		{
			name: "the name of a short form",
			text: "haproxy:\n  min_servers: 1\n  checks: [{name: servers, backend: db}]\n",
			want: `f:2:16: one of haproxy.checks has the name "servers", which haproxy.min_servers has: give it another name`, beyondSchema: true,
		},
		{
			name: "an unknown need",
			text: "haproxy: {check: {url: 'http://a/'}, checks: [{name: db, backend: db}]}\n" +
				"floating_ips: [{name: VIP, ip: 192.0.2.1, provider: lan, needs: [db, ring]}]\n",
			want: "f:2:70: VIP needs the check ring, which is not known: known are db, check", beyondSchema: true,
		},
		{
			name: "a need without checks",
			text: "haproxy: {}\nfloating_ips: [{name: VIP, ip: 192.0.2.1, provider: lan, needs: [db]}]\n",
			want: "f:2:66: VIP needs the check db, which is not known: haproxy.checks has none", beyondSchema: true,
		},
		{
			name: "the id of a rule",
			text: "haproxy:\n  checks:\n  - {name: a, tcp: 'a:1'}\n  - {name: a-rule, tcp: 'a:1'}\nfloating_ips: [{name: VIP, ip: 192.0.2.1, provider: lan}]\n",
			want: "f:4:12: the name a-rule is taken: VIP-check-a-rule is part of the constraint by which VIP goes where the check a holds", beyondSchema: true,
		},
		{
			name: "the id of another address's constraint",
			text: "haproxy:\n  checks:\n  - {name: a, tcp: 'a:1'}\n  - {name: b-check-a, tcp: 'a:1'}\nfloating_ips:\n" +
				"  - {name: V, ip: 192.0.2.1, provider: lan}\n  - {name: V-check-b, ip: 192.0.2.2, provider: lan, needs: [a]}\n",
			want: "f:3:12: the name a is taken: V-check-b-check-a is the constraint by which V goes where the check b-check-a holds", beyondSchema: true,
		},
		{
			name: "the id of a constraint",
			text: "haproxy: {min_servers: 1}\nfloating_ips:\n  - {name: VIP, ip: 192.0.2.1, provider: lan}\n  - {name: VIP-check-servers, ip: 192.0.2.2, provider: lan}\n",
			want: "f:4:12: the name VIP-check-servers is taken: it is the constraint by which VIP goes where the check servers holds", beyondSchema: true,
		},
	}
}

func TestChecksOf(t *testing.T) {
	c, err := Parse("f", []byte(`haproxy:
  min_servers: 1
  check: {url: "http://a/", every: 3s}
  checks: [{name: db, backend: db, min_servers: 2}]
floating_ips:
  - {name: A, ip: 192.0.2.1, provider: lan}
  - {name: B, ip: 192.0.2.2, provider: lan, needs: [servers]}
  - {name: C, ip: 192.0.2.3, provider: lan, needs: []}
  - {name: D, ip: 192.0.2.4, provider: lan, needs: }
`))
	require.NoError(t, err)
	names := func(i int) []string {
		var all []string
		for _, check := range c.ChecksOf(&c.Addresses[i]) {
			all = append(all, check.Name)
		}
		return all
	}
	require.Equal(t, []string{"db", "check", "servers"}, names(0))
	require.Equal(t, []string{"servers"}, names(1))
	require.Empty(t, names(2))
	require.Equal(t, names(0), names(3), "a key without a value is not there")
	all := c.HAProxy.AllChecks()
	require.Equal(t, 3*time.Second, all[1].Every)
	require.Equal(t, 5*time.Second, all[1].Timeout)
	require.Equal(t, []Param{{"checks", "db backend=db min_servers=2 ; check url=http://a/ every=3s timeout=5s ; servers backend=*"}}, c.HAProxy.Params())
	parsed, err := param.ParseChecks(c.HAProxy.Params()[0].Value)
	require.NoError(t, err)
	for i := range parsed {
		require.Equal(t, all[i].Check, parsed[i])
	}
}
