package param

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestChecks(t *testing.T) {
	checks, err := ParseChecks(`web url=http://${HAWSER_ANCHOR_IP}/healthz every=1s fall=2 ; ` +
		`db backend=db min_servers=2 timeout=900ms; all 'backend=*' ; ; ring tcp=[2001:db8::1]:5432 ; ` +
		`own 'exec=/usr/local/bin/check "a b" c' user=nobody rise=1 every=10s ; ` +
		`tls url=https://10.0.0.1/ host=www.example.org status=200,401-403 verify=true sni=x.example.org ca_file=/etc/ca.pem method=HEAD`)
	require.Error(t, err, "the semicolon belongs to 900ms")
	require.Nil(t, checks)
	text := `web url=http://${HAWSER_ANCHOR_IP}/healthz every=1s fall=2 ; ` +
		`db backend=db min_servers=2 timeout=900ms ; all 'backend=*' ; ; ring tcp=[2001:db8::1]:5432 ; ` +
		`own 'exec=/usr/local/bin/check "a b" c' user=nobody rise=1 every=10s ; ` +
		`tls url=https://10.0.0.1/ host=www.example.org status=200,401-403 verify=true sni=x.example.org ca_file=/etc/ca.pem method=HEAD ;`
	checks, err = ParseChecks(text)
	require.NoError(t, err)
	require.Len(t, checks, 6)
	web := NewCheck()
	require.Zero(t, web.Fall)
	web.Name, web.URL, web.Every, web.Timeout, web.Fall = "web", "http://${HAWSER_ANCHOR_IP}/healthz", time.Second, time.Second, 2
	require.Equal(t, web, checks[0])
	require.Equal(t, 2, checks[1].MinServers)
	require.Equal(t, 900*time.Millisecond, checks[1].Timeout)
	require.Equal(t, EveryBackend, checks[2].Backend)
	require.Equal(t, []string{"/usr/local/bin/check", "a b", "c"}, checks[4].Exec)
	require.Equal(t, 5*time.Second, checks[4].Timeout, "at most five seconds by default")
	require.True(t, checks[5].Statuses.Has(402))
	require.False(t, checks[5].Statuses.Has(204))
	again, err := ParseChecks(FormatChecks(checks))
	require.NoError(t, err)
	require.Equal(t, checks, again)
	none, err := ParseChecks(" ")
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestChecksOfInterfaces(t *testing.T) {
	text := "up interface=bond0.17 ; more interface=ens192 every=10s rise=3 fall=3 ; t tcp=a:1 fall=1"
	all, err := ParseChecks(text)
	require.NoError(t, err)
	require.Equal(t, "interface", all[0].Kind())
	require.Equal(t, []int{1, 3, 1}, []int{all[0].Fall, all[1].Fall, all[2].Fall})
	require.Equal(t, text, FormatChecks(all))
}

func TestChecksThatAreRefused(t *testing.T) {
	for text, says := range map[string]string{
		"web":                                     "0 of url, backend, tcp, exec and interface for the check web: give one",
		"web url=http://a/ tcp=a:1":               "2 of url, backend, tcp, exec and interface",
		"url=http://a/":                           `the check "url=http://a/", which cannot be the name of a check`,
		"web url=ftp://a/":                        "is not a URL",
		"web url=http://u:p@a/":                   "holds a user or a password",
		"web url=http://a/ every=500ms":           "is not a time from 1s to 3600s",
		"web url=http://a/ rise=0":                "is not a whole number from 1 to 100",
		"web url=http://a/ fall=0":                "is not a whole number from 1 to 100",
		"web url=http://a/ status=2xx":            "is not a list of HTTP statuses",
		"web url=http://a/ status=600":            "is not a list of HTTP statuses",
		"web url=http://a/ method=DELETE":         "is not one of GET, HEAD, OPTIONS",
		"web url=http://a/ host=a/b":              "is not the name of a host",
		"web url=http://a/ user=root":             "user for the check web, which means nothing to url",
		"web url=http://a/ colour=red":            `the word "colour=red" for the check web, which is not known`,
		"web url=http://a/ every=1s every=2s":     "every twice",
		"web url=http://a/ ; web tcp=a:1":         "two checks web",
		"db backend=a/b":                          "is not the name of a backend",
		"db backend=db min_servers=0":             "is not a whole number from 1",
		"ring tcp=a":                              "is not host:port",
		"ring tcp=a:0":                            "is not host:port",
		"up interface=a/b":                        "is not the name of a network interface",
		"up interface=eth0 timeout=1s":            "timeout for the check up, which means nothing to interface",
		"up interface=eth0 tcp=a:1":               "2 of url,",
		"own exec=check user=x":                   "does not begin with the absolute path of a program",
		"own exec=/bin/check":                     "no user for the check own",
		"own exec=/bin/check 'user=a b'":          "is not the name of a user",
		"'":                                       "has an opening quote",
		strings.Repeat("x", 61) + " tcp=a:1":      "cannot be the name of a check",
		strings.Repeat("a", 3) + " tcp=a:1 x ; b": `the word "x"`,
	} {
		_, err := ParseChecks(text)
		require.ErrorContains(t, err, says, text)
	}
	var many []string
	for i := range MostChecks + 1 {
		many = append(many, strings.Repeat("c", i+1)+" tcp=a:1")
	}
	_, err := ParseChecks(strings.Join(many, " ; "))
	require.ErrorContains(t, err, "has 17 checks: at most 16 are possible")
}

func FuzzChecks(f *testing.F) {
	f.Add("up interface=eth0 ; down interface=eth1 fall=3")
	f.Add("web url=http://a/ ; db backend=db ; own 'exec=/bin/x \"a b\"' user=x ; t tcp=a:1")
	f.Fuzz(func(t *testing.T, text string) {
		checks, err := ParseChecks(text)
		if err != nil {
			return
		}
		again, err := ParseChecks(FormatChecks(checks))
		require.NoError(t, err)
		require.Equal(t, len(checks), len(again))
		for i := range checks {
			require.Equal(t, checks[i], again[i])
		}
	})
}
