package checks

import (
	"context"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/internal/users"
	"github.com/hawser-ha/hawser/param"
)

// parse returns the only check of a text.
func parse(t *testing.T, text string) *param.Check {
	t.Helper()
	all, err := param.ParseChecks(text)
	require.NoError(t, err)
	require.Len(t, all, 1)
	return &all[0]
}

func TestRequests(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case r.Host == "www.example.org" && r.Method == http.MethodHead:
			rw.WriteHeader(http.StatusNoContent)
		case r.URL.Path == "/sick":
			rw.WriteHeader(http.StatusServiceUnavailable)
		case r.URL.Path == "/slow":
			<-r.Context().Done()
		}
	}))
	defer func() { app.CloseClientConnections(); app.Close() }()
	_, port, err := net.SplitHostPort(app.Listener.Addr().String())
	require.NoError(t, err)
	r := &Runner{Env: []string{"HAWSER_ANCHOR_IP=127.0.0.1", "HAWSER_SITE=", "SIX=::1"}, Version: "test"}
	do := func(text string) error { return r.Do(t.Context(), parse(t, text)) }
	require.NoError(t, do("web url=http://${HAWSER_ANCHOR_IP}:"+port+"/"))
	require.ErrorContains(t, do("web url="+app.URL+"/sick"), "GET "+app.URL+"/sick: 503 Service Unavailable")
	require.NoError(t, do("web url="+app.URL+"/sick status=500-599"))
	require.ErrorContains(t, do("web url="+app.URL+"/ status=204"), "200 OK")
	require.NoError(t, do("web url="+app.URL+"/ status=204 method=HEAD host=www.example.org"))
	require.ErrorContains(t, do("web url="+app.URL+"/slow timeout=100ms"), "no answer within 100ms")
	require.ErrorContains(t, do("web url=http://${NONE}/"), "mentions NONE, which HAProxy was not started with")
	require.NoError(t, do("ring tcp=${HAWSER_ANCHOR_IP}:"+port))
	require.ErrorContains(t, do("ring tcp=127.0.0.1:1"), "connection refused")
	require.NoError(t, do("web url="+app.URL+"/?site=${HAWSER_SITE}"), "a node in no site")
	text, err := r.expand("http://${SIX}:80/")
	require.NoError(t, err)
	require.Equal(t, "http://[::1]:80/", text)
}

// What variables hold is in no reason, which the cluster is told and everybody may read; nor is it what
// net/http says of an address.
func TestReasonsConcealVariables(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer app.Close()
	r := &Runner{Env: []string{"HAWSER_ANCHOR_IP=127.0.0.1", "TOKEN=s3cr3t/with+plus", "WHERE=s3cr3t.invalid",
		"ODD=s3cr3t^%zz", "SHORT=8", "NET=127.0.0"}}
	for text, says := range map[string]string{
		"web url=" + app.URL + "/?t=${TOKEN}":               "GET " + app.URL + "/?t=${TOKEN}: 503",
		"web url=http://${WHERE}/ timeout=2s":               "GET http://${WHERE}/: ",
		"web url=http://${ODD}:80/":                         "GET http://${ODD}:80/: ",
		"web url=http://${HAWSER_ANCHOR_IP}:1/?${SHORT}":    "dial tcp 127.0.0.1:1: ",
		"ring tcp=${WHERE}:80":                              "${WHERE}",
		"ring tcp=${NET}.1:1":                               "dial tcp ${NET}.1:1: ",
		"web url=" + app.URL + "/ host=${WHERE} status=204": "GET " + app.URL + "/: 503",
	} {
		err := r.Do(t.Context(), parse(t, text))
		require.ErrorContains(t, err, says)
		require.NotContains(t, err.Error(), "s3cr3t", text)
	}
}

func TestCertificates(t *testing.T) {
	var asked string
	app := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked = r.TLS.ServerName }))
	defer app.Close()
	app.Config.ErrorLog = nil
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: app.Certificate().Raw}), 0o600))
	r := &Runner{}
	do := func(text string) error { return r.Do(t.Context(), parse(t, "tls url="+app.URL+"/ "+text)) }
	require.NoError(t, do(""))
	require.Empty(t, asked)
	require.NoError(t, do("host=www.example.org"))
	require.Equal(t, "www.example.org", asked)
	require.ErrorContains(t, do("verify=true"), "certificate signed by unknown authority")
	require.NoError(t, do("verify=true ca_file="+ca))
	require.NoError(t, do("verify=true sni=example.com ca_file="+ca), "the name of net/http's certificate")
	require.ErrorContains(t, do("verify=true sni=www.example.org ca_file="+ca), "www.example.org")
	r.Env = []string{"SITE=example.com", "OTHER=www.example.org"}
	require.NoError(t, do("verify=true sni=${SITE} ca_file="+ca))
	require.Equal(t, "example.com", asked)
	require.ErrorContains(t, do("verify=true sni=${OTHER} ca_file="+ca), "not ${OTHER}")
	require.ErrorContains(t, do("sni=${NONE}"), "mentions NONE")
	require.ErrorContains(t, do("verify=true ca_file=/nonexistent"), "ca_file: open /nonexistent")
	require.NoError(t, os.WriteFile(ca, []byte("none"), 0o600))
	require.ErrorContains(t, do("verify=true ca_file="+ca), "holds no certificate in PEM form")
	require.NoError(t, os.Remove(ca))
	require.NoError(t, syscall.Mkfifo(ca, 0o600))
	for _, odd := range []string{ca, "/dev/zero", "/"} {
		require.ErrorContains(t, do("verify=true ca_file="+odd), "ca_file: "+odd+" is not a file")
	}
}

func TestServers(t *testing.T) {
	server := func(proxy, status string) client.Stat {
		return client.Stat{Type: client.Server, Proxy: proxy, Service: "s", Status: status}
	}
	servers := []client.Stat{
		server("app", "UP"), server("app", "UP 1/3"), server("app", "DOWN"), server("app", "DRAIN"), server("app", "MAINT"),
		server("api", "no check"), server("api", "DOWN 1/2"),
		{Type: client.Backend, Proxy: "stats", Status: "UP"},
	}
	r := &Runner{Servers: func(context.Context) ([]client.Stat, error) { return servers, nil }}
	do := func(text string) error { return r.Do(t.Context(), parse(t, "db "+text)) }
	require.NoError(t, do("backend=*"))
	require.ErrorContains(t, do("backend=* min_servers=2"), "min_servers=2 servers are UP: backend api has 1 of 2")
	require.ErrorContains(t, do("backend=* min_servers=3"), "backend app has 2 of 5, backend api has 1 of 2")
	require.NoError(t, do("backend=app min_servers=2"))
	require.ErrorContains(t, do("backend=app min_servers=3"), "backend app has 2 of 5")
	require.ErrorContains(t, do("backend=stats"), "no backend stats with servers")
	servers = nil
	require.NoError(t, do("backend=* min_servers=3"), "a backend without servers needs none")
	r.Servers = func(context.Context) ([]client.Stat, error) { return nil, errors.New("it is gone") }
	require.ErrorContains(t, do("backend=app"), "it is gone")
}

func TestPrograms(t *testing.T) {
	needs.Root(t)
	dir := t.TempDir()
	for d := dir; d != "/" && d != os.TempDir(); d = filepath.Dir(d) {
		require.NoError(t, os.Chmod(d, 0o755))
	}
	t.Setenv("SECRET", "of this process")
	r := &Runner{Env: []string{"HAWSER_NODE=lb-1"}}
	run := func(script string) error {
		path := filepath.Join(dir, "check")
		require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755))
		require.NoError(t, os.Chmod(path, 0o755))
		return r.Do(t.Context(), parse(t, "own 'exec="+path+" \"a b\"' user=nobody timeout=2s"))
	}
	require.NoError(t, run(`[ "$1" = "a b" ] && [ "$HAWSER_NODE" = lb-1 ] && [ "$HAWSER_CHECK" = own ] && [ -z "$SECRET" ]`))
	require.ErrorContains(t, run(`id -un; id -Gn; exit 4`), "exit status 4: nobody\nnogroup")
	require.ErrorContains(t, run(`exit 5`), "exit status 5")
	long := run(`yes | head -c 1000000; exit 1`)
	require.Error(t, long)
	require.Less(t, len(long.Error()), 2000)
	began := time.Now()
	require.ErrorContains(t, run(`trap "" TERM; while :; do sleep 60; done`), "no answer within 2s")
	require.NoError(t, run(`sleep 300 & exit 0`), "what it leaves behind is no fault, and is ended")
	pid := filepath.Join(dir, "pid")
	require.NoError(t, os.WriteFile(pid, nil, 0o600))
	require.NoError(t, os.Chown(pid, 65534, 65534))
	require.ErrorContains(t, run(`timeout 300 sh -c 'echo $$ >`+pid+`; sleep 300; :'`), "no answer within 2s")
	text, err := os.ReadFile(pid)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		stat, err := os.ReadFile("/proc/" + strings.TrimSpace(string(text)) + "/stat")
		return err != nil || strings.Contains(string(stat), ") Z ")
	}, 10*time.Second, 10*time.Millisecond, "timeout(1) makes a group of its own, and is ended with it")
	require.Less(t, time.Since(began), 20*time.Second)
	began = time.Now()
	require.NoError(t, r.Do(t.Context(), parse(t, `own "exec=/bin/sh -c 'setsid sleep 5 & exit 0'" user=nobody timeout=1s`)))
	require.Less(t, time.Since(began), time.Second+time.Second/4, "a daemon does not make it late")
	require.ErrorContains(t, run(`setsid sleep 5 & echo ill; exit 3`), "exit status 3: ill")
	require.ErrorContains(t, r.Do(t.Context(), parse(t, "own exec=/nonexistent user=nobody")), "cannot run /nonexistent")
	require.ErrorContains(t, r.Do(t.Context(), parse(t, "own exec=/bin/true user=no-such-user")),
		"user no-such-user: there is none on this node")
	getent := filepath.Join(dir, "getent")
	require.NoError(t, os.WriteFile(getent, []byte("#!/bin/sh\ncase $1 in\npasswd) echo \"ada:*:70001:70002::/:/bin/sh\";;\n"+
		"initgroups) echo ada 70003;;\nesac\n"), 0o700)) //nolint:gosec // a program
	r.Users = users.Service{Getent: getent}
	require.ErrorContains(t, r.Do(t.Context(),
		parse(t, `own "exec=/bin/sh -c 'id -u; id -G; exit 1'" user=ada timeout=5s`)), "70001\n70002 70003")
}

// result is a good or a bad one.
func result(letter rune) error {
	if letter == 'x' {
		return errors.New("bad")
	}
	return nil
}

// A row of results is written as letters, x for a bad one; what the record says after each one too.
func TestRiseAndFall(t *testing.T) {
	for results, says := range map[string]string{
		"oooo":            "oooo",
		"x":               "x", // the first counts
		"ooxxo":           "ooooo",
		"ooxxx":           "oooox",
		"oxoxoxoxox":      "oooooooooo",
		"oxxxoxoo":        "oooxxxxo",
		"oxxxooxxxoooo":   "oooxxooox" + "xxxo", // the second failure needs four
		"xoo":             "xxo",
		"oxxxoxoxoxoxoxo": "oooxxxxxxxxxxxx",
	} {
		c := parse(t, "web url=http://a/")
		var r Record
		now, said := time.Now(), ""
		for _, letter := range results {
			now = now.Add(c.Every)
			before := r
			changed := r.Take(result(letter), now, c)
			require.Equal(t, !before.Known || before.Failed != r.Failed, changed)
			if changed {
				require.Equal(t, now, r.Since)
			}
			require.Equal(t, r.Failed, r.Why != "")
			said += map[bool]string{true: "x", false: "o"}[r.Failed]
		}
		require.Equal(t, says, said, results)
	}
}

// A check that comes and goes for ever says so a few times, and then that it fails.
func TestFlapping(t *testing.T) {
	c := parse(t, "web url=http://a/ every=1s rise=1 fall=1")
	var r Record
	changes := 0
	start := time.Now()
	for i := range 600 { // two seconds each
		if r.Take(result(rune("ooxx"[i%4])), start.Add(time.Duration(i)*time.Second), c) {
			changes++
		}
	}
	require.LessOrEqual(t, changes, 6, "the first result, three failures and two ends")
	require.True(t, r.Failed)
	for i := range 400 { // it has ended: five minutes of good results are always enough
		r.Take(nil, start.Add(time.Duration(600+i)*time.Second), c)
	}
	require.False(t, r.Failed)
}

func TestBook(t *testing.T) {
	path := filepath.Join(t.TempDir(), "checks.json")
	b := ReadBook(path)
	require.Empty(t, b.Values([]string{"web"}), "nothing is known")
	c := parse(t, "web url=http://a/")
	b.Of("web").Take(errors.New("bad"), time.Now(), c)
	b.Of("db").Take(nil, time.Now(), c)
	b.Of("old").Take(nil, time.Now(), c)
	b.Keep([]string{"web", "db"})
	require.NoError(t, b.Write(path))
	again := ReadBook(path)
	require.Equal(t, map[string]string{"web": "failed", "db": "ok"}, again.Values([]string{"web", "db", "old"}))
	failing := again.Failing([]string{"db", "web"})
	require.Len(t, failing, 1)
	require.Equal(t, "bad", failing[0].Why)
	for _, damaged := range []string{"", "{", `{"records":{"web":null}}`, `[]`, strings.Repeat("[", 100)} {
		require.NoError(t, os.WriteFile(path, []byte(damaged), 0o600))
		require.Empty(t, ReadBook(path).Values([]string{"web"}), damaged)
	}
}
