package adapt

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/keepalived/model"
	"github.com/hawser-ha/hawser/keepalived/syntax"
	"github.com/hawser-ha/hawser/param"
)

// script is a vrrp_script that runs a command, as it is written between double quotes.
func script(t *testing.T, command string) (*model.Script, *model.Config) {
	t.Helper()
	raw := `script "` + command + `"`
	line, ok := syntax.Script(raw)
	require.True(t, ok, command)
	words, ok := syntax.Script(line[1])
	require.True(t, ok, command)
	s := &syntax.Statement{Words: []string{"script", line[1]}, Raw: raw}
	return &model.Script{Name: "chk", At: s, Line: s, Words: words, Interval: 2, Timeout: 2, Rise: 1, Fall: 1},
		&model.Config{}
}

// What is found in a command: that HAProxy is watched, a request, a connection, or a program.
func TestReadScript(t *testing.T) {
	for command, want := range map[string]string{
		"killall -0 haproxy":                               "haproxy",
		"/usr/bin/killall -0 haproxy":                      "haproxy",
		"pkill -0 haproxy":                                 "haproxy",
		"pidof haproxy":                                    "haproxy",
		"/bin/pidof haproxy":                               "haproxy",
		"pgrep -x haproxy":                                 "haproxy",
		"/usr/bin/systemctl is-active --quiet haproxy":     "haproxy",
		"systemctl is-active haproxy.service":              "haproxy",
		"/bin/sh -c 'kill -0 `cat /var/run/haproxy.pid`'":  "haproxy",
		"/bin/bash -c 'kill -0 $(cat /run/haproxy.pid)'":   "haproxy",
		"bash -c 'killall -0 haproxy || exit 1'":           "haproxy",
		"killall -0 haproxy > /dev/null 2>&1":              "haproxy",
		"ps -C haproxy --no-header":                        "haproxy",
		"killall -0 nginx":                                 "exec:/usr/bin/killall -0 nginx",
		"pgrep haproxy-keeper":                             "exec:/usr/bin/pgrep haproxy-keeper",
		"</dev/tcp/127.0.0.1/80":                           "tcp:127.0.0.1:80",
		"bash -c '</dev/tcp/10.0.0.1/443'":                 "tcp:10.0.0.1:443",
		"timeout 1 bash -c 'echo > /dev/tcp/10.0.0.1/443'": "tcp:10.0.0.1:443",
		"nc -z 127.0.0.1 80":                               "tcp:127.0.0.1:80",
		"/bin/nc -zv -w 1 localhost 8080":                  "tcp:localhost:8080",
		"nc -z -w1 2001:db8::1 80":                         "tcp:[2001:db8::1]:80",
		"nc -l 80":                                         "exec:/usr/bin/nc -l 80",
		"curl http://127.0.0.1/":                           "url:GET http://127.0.0.1/ 100-599",
		"curl -sf -o /dev/null http://127.0.0.1/x":         "url:GET http://127.0.0.1/x 200-399",
		"/usr/bin/curl -fsSkI --max-time 2 https://h:8443": "url:HEAD https://h:8443 200-399",
		"curl -m3 127.0.0.1:8080/health": "url:GET " +
			"http://127.0.0.1:8080/health 100-599",
		"wget -q -O /dev/null http://127.0.0.1/":         "url:GET http://127.0.0.1/ 200-399",
		"wget -q --spider --timeout=2 http://127.0.0.1/": "url:HEAD http://127.0.0.1/ 200-399",
		"curl --data x http://127.0.0.1/": "exec:/usr/bin/curl --data x " +
			"http://127.0.0.1/",
		"curl http://a/ http://b/":                            "exec:/usr/bin/curl http://a/ http://b/",
		"/etc/keepalived/check.sh 1 'a b'":                    "exec:/etc/keepalived/check.sh 1 'a b'",
		"/bin/sh -c '/x | grep -q y'":                         "exec:/bin/sh -c '/x | grep -q y'",
		"/x | grep -q y":                                      "exec:/bin/sh -c '/x | grep -q y'",
		"./check.sh":                                          "left",
		"systemctl restart haproxy":                           "left",
		"/bin/sh -c 'pidof haproxy || service haproxy start'": "left",
		"curl -u admin:secret http://127.0.0.1/":              "left",
		"curl http://admin:secret@127.0.0.1/":                 "left",
		"/x --password secret":                                "left",
		"/x --token=abcdef":                                   "left",
		"/x 0123456789abcdef0123456789abcdef":                 "left",
		"mysqladmin -uroot -pgeheim ping":                     "left",
	} {
		v, c := script(t, command)
		f := readScript(v, c)
		got := "left"
		switch {
		case f.haproxy:
			got = "haproxy"
		case f.left != "":
			require.NotContains(t, f.left, "secret")
		case f.check.URL != "":
			got = "url:" + f.check.Method + " " + f.check.URL + " " + f.check.Statuses.String()
		case f.check.TCP != "":
			got = "tcp:" + f.check.TCP
		default:
			got = "exec:" + param.JoinWords(f.check.Exec)
			require.NotEmpty(t, f.check.User, command)
		}
		require.Equal(t, want, got, command)
	}
}

// What is secret is not shown, wherever it stands.
func TestHide(t *testing.T) {
	for text, want := range map[string]string{
		"auth_pass geheim":                        "auth_pass ***",
		"authentication { auth_pass \"a b\" }":    "authentication { auth_pass *** }",
		"x --token geheim y":                      "x --token *** y",
		"API_KEY=geheim x":                        "API_KEY=*** x",
		"curl -H 'Authorization: Bearer geheim'":  "curl -H 'Authorization: Bearer ***'",
		"curl http://u:geheim@h/":                 "curl http://***@h/",
		"x 0123456789abcdef0123456789abcdef":      "x ***",
		"vrrp_script secret {":                    "vrrp_script secret {",
		"/etc/keepalived/token.sh start":          "/etc/keepalived/token.sh start",
		"virtual_ipaddress_excluded_and_longer {": "virtual_ipaddress_excluded_and_longer {",
	} {
		require.Equal(t, want, hide(text), text)
	}
	require.Equal(t, "$PASS=***", show("$PASS=abc", []string{"abc"}))
	require.Equal(t, "  x abc", show("  x abc", []string{"abc"}))
}

// configOf reads a text as the keepalived.conf of a node.
func configOf(t *testing.T, node, text string) Input {
	t.Helper()
	read, err := syntax.Read("/k.conf", syntax.Options{Node: node, Files: one(text)})
	require.NoError(t, err)
	return Input{Path: node + ".conf", Config: model.Of(node, read)}
}

type one string

func (o one) Read(string, int64) (text []byte, executable bool, err error) {
	return []byte(o), false, nil
}
func (one) Match(string) ([]string, error) { return nil, nil }

// instance is the text of a vrrp_instance.
func instance(name, iface, vrid, address string) string {
	return "vrrp_instance " + name + " {\ninterface " + iface + "\nvirtual_router_id " + vrid +
		"\nvirtual_ipaddress {\n" + address + "\n}\n}\n"
}

// Which instances of two nodes are one.
func TestMatch(t *testing.T) {
	for name, c := range map[string]struct{ one, two, want string }{
		"the same": {instance("A", "eth0", "1", "192.0.2.1/24"), instance("A", "eth0", "1", "192.0.2.1/24"), "A+A"},
		"other names, other interfaces": {instance("A", "eth0", "1", "192.0.2.1/24"),
			instance("B", "ens3", "1", "192.0.2.1/24"), "A+B"},
		"in another order": {
			instance("A", "eth0", "1", "192.0.2.1/24") + instance("B", "eth0", "2", "192.0.2.2/24"),
			instance("B", "eth0", "2", "192.0.2.2/24") + instance("A", "eth0", "1", "192.0.2.1/24"), "A+A B+B"},
		"one id on two interfaces": {
			instance("A", "eth0", "1", "192.0.2.1/24") + instance("B", "eth1", "1", "198.51.100.1/24"),
			instance("B", "eth1", "1", "198.51.100.1/24") + instance("A", "eth0", "1", "192.0.2.1/24"), "A+A B+B"},
		"other ids, one address": {instance("A", "eth0", "1", "192.0.2.1/24"),
			instance("A", "eth0", "2", "192.0.2.1/24"), "A+A"},
		"nothing in common": {instance("A", "eth0", "1", "192.0.2.1/24"),
			instance("B", "eth0", "2", "192.0.2.2/24"), "A B"},
		"two families of one id": {
			instance("A", "eth0", "1", "192.0.2.1/24") + instance("B", "eth0", "1", "2001:db8::1/64"),
			instance("C", "eth0", "1", "2001:db8::1/64") + instance("D", "eth0", "1", "192.0.2.1/24"), "A+D B+C"},
	} {
		a := &adapter{nodes: []Input{configOf(t, "lb-1", c.one), configOf(t, "lb-2", c.two)}, book: book{}}
		a.match()
		var got []string
		for _, r := range a.routers {
			var names []string
			for _, m := range r.members {
				names = append(names, m.Name)
			}
			got = append(got, strings.Join(names, "+"))
		}
		require.Equal(t, c.want, strings.Join(got, " "), name)
	}
}

// A value comes back from YAML as it was.
func TestScalar(t *testing.T) {
	for text, want := range map[string]string{
		"lb-1": "lb-1", "on": `"on"`, "1": `"1"`, "192.0.2.1": "192.0.2.1", "a: b": `"a: b"`, "": `""`,
		"2001:db8::1": `"2001:db8::1"`, "x\ty": `"x\ty"`, "/x y": `"/x y"`, "http://h:80/": "http://h:80/",
	} {
		require.Equal(t, want, scalar(text))
	}
}
