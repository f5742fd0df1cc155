package param

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSplitWords(t *testing.T) {
	for text, want := range map[string][]string{
		"":                      nil,
		"  ":                    nil,
		"-f  /etc/a.cfg\t-d":    {"-f", "/etc/a.cfg", "-d"},
		`-L 'my peer' "a\"b\c"`: {"-L", "my peer", `a"b\c`},
		`a\ b '' $HOME *`:       {"a b", "", "$HOME", "*"},
	} {
		words, err := SplitWords(text)
		require.NoError(t, err, text)
		require.Equal(t, want, words, text)
	}
	for _, text := range []string{`'a`, `"a`, `a\`} {
		_, err := SplitWords(text)
		require.Error(t, err, text)
	}
}

func FuzzSplitWords(f *testing.F) {
	f.Add(`-L 'my peer' "a\"b\c" \x`)
	f.Fuzz(func(t *testing.T, text string) {
		words, err := SplitWords(text)
		if err != nil {
			return
		}
		quoted := make([]string, len(words))
		for i, w := range words {
			quoted[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		again, err := SplitWords(strings.Join(quoted, " "))
		require.NoError(t, err)
		require.Equal(t, words, again)
	})
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"15": 15 * time.Second, "15s": 15 * time.Second, "2min": 2 * time.Minute, "1h": time.Hour,
		"500ms": 500 * time.Millisecond, "30 sec": 30 * time.Second, "0": 0,
	} {
		d, err := ParseDuration(text)
		require.NoError(t, err, text)
		require.Equal(t, want, d, text)
	}
	for _, text := range []string{"", "s", "-1s", "1.5s", "1 fortnight", "99999999999999999999s",
		"9223372036854775807h"} {
		_, err := ParseDuration(text)
		require.Error(t, err, text)
	}
}

func FuzzParseDuration(f *testing.F) {
	f.Add("15s")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDuration(text)
		if err != nil || d%time.Millisecond != 0 {
			return
		}
		again, err := ParseDuration(FormatDuration(d))
		require.NoError(t, err)
		require.Equal(t, d, again)
	})
}

func TestSafeOrigin(t *testing.T) {
	for text, safe := range map[string]bool{
		"https://api.example.com": true, "https://192.0.2.1:8443/": true, "http://127.0.0.1:80": true,
		"http://127.9.9.9": true, "http://[::1]:1": true, "http://localhost": true,
		"http://api.example.com": false, "http://192.0.2.1": false,
		"http://localhost.example.com": false, "http://127.0.0.1.example.com": false,
		"http://[2001:db8::1]": false, "http://0.0.0.0": false,
	} {
		_, err := ParseSafeOrigin(text)
		require.Equal(t, safe, err == nil, "%s: %v", text, err)
		if err != nil {
			require.ErrorContains(t, err, "in clear text")
		}
	}
	_, err := ParseSafeOrigin("ftp://127.0.0.1")
	require.ErrorContains(t, err, "is not an origin")
}

func TestOrigin(t *testing.T) {
	var origin string
	v := Origin(&origin, "https://api.digitalocean.com")
	require.Equal(t, "https://api.digitalocean.com", origin)
	require.NoError(t, v.Set("http://127.0.0.1:8080/"))
	require.Equal(t, "http://127.0.0.1:8080", origin)
	for _, text := range []string{"api.digitalocean.com", "ftp://host", "http://",
		"http://u:p@host", "http://host/v2", "http://host?x"} {
		require.Error(t, v.Set(text), text)
	}
}

func TestBoolAndEnum(t *testing.T) {
	var b bool
	require.NoError(t, Bool(&b, false).Set("Yes"))
	require.True(t, b)
	require.Error(t, Bool(&b, false).Set("perhaps"))
	var s string
	require.ErrorContains(t, Enum(&s, "lan", "lan", "digitalocean").Set("aws"),
		"is not one of lan, digitalocean")
}

func TestCheckURL(t *testing.T) {
	for _, good := range []string{"http://127.0.0.1/",
		"https://${HAWSER_ANCHOR_IP}:443/healthz?x=1", "http://[::1]:80"} {
		var url string
		require.NoError(t, CheckURL(&url).Set(good))
		require.Equal(t, good, url)
	}
	for _, bad := range []string{"/healthz", "127.0.0.1:80", "ftp://x/", "http://", "http://u:p@x/",
		"http://x y/", "http://x:port/"} {
		require.Error(t, CheckURL(new(string)).Set(bad), bad)
	}
}

func TestNIC(t *testing.T) {
	for _, good := range []string{"eth0", "enp0s31f6", "br-lan.100", "wwp0s20f0u6c2i1"} {
		_, err := ParseNIC(good)
		require.NoError(t, err, good)
	}
	for _, bad := range []string{"", ".", "..", "a/b", "a:b", "a b", "a\tb", "a\n",
		"wwp0s20f0u6c2i12"} {
		_, err := ParseNIC(bad)
		require.Error(t, err, bad)
	}
}

func TestService(t *testing.T) {
	unit := "x"
	v := Service(&unit, "haproxy.service")
	require.Equal(t, "haproxy.service", unit)
	require.Equal(t, "haproxy.service", v.String())
	require.NoError(t, v.Set("lb@1.service"))
	require.Equal(t, "lb@1.service", unit)
	require.NoError(t, v.Set("none"))
	require.Empty(t, unit)
	for _, bad := range []string{"haproxy", ".service", "a b.service", "/etc/x.service"} {
		require.Error(t, v.Set(bad), bad)
	}
}

func TestArguments(t *testing.T) {
	words, err := ParseArguments("-f '/etc/haproxy/a b.cfg' -m 512")
	require.NoError(t, err)
	require.Equal(t, []string{"-f", "/etc/haproxy/a b.cfg", "-m", "512"}, words)
	for _, word := range ReservedArguments() {
		_, err := ParseArguments("-m 512 " + word)
		require.ErrorContains(t, err, "holds "+word+", which only the agent may use", word)
	}
	for _, word := range []string{"-cx", "-vvv", "-px", "-Sx", "-sfx", "-Wsx", "-xx", "-dbx", "-hx"} {
		_, err := ParseArguments("-m 512 " + word)
		require.ErrorContains(t, err, "holds "+word+", which only the agent may use", word)
	}
	for _, text := range []string{"-dM -dr -dV -q -L name -C /etc -N 10 -n 10", "-- /a -cx"} {
		_, err := ParseArguments(text)
		require.NoError(t, err, text)
	}
	_, err = ParseArguments("-f 'a")
	require.ErrorContains(t, err, "never closed")
}

func TestSecrets(t *testing.T) {
	var token, file string
	require.ErrorIs(t, Secret(&token).Set("lrm://"), ErrNoCopy)
	require.True(t, IsSecret(Secret(&token)))
	require.True(t, HidesRefused(Secret(&token)))
	require.False(t, IsSecret(SecretPath(&file, "")))
	require.True(t, HidesRefused(SecretPath(&file, "")))
	require.False(t, HidesRefused(Path(&file, "")))
	require.Error(t, SecretPath(&file, "").Set("dop_v1_abc"))
}

func TestAddr(t *testing.T) {
	addr, err := ParseAddr("::ffff:192.0.2.1")
	require.NoError(t, err)
	require.Equal(t, "192.0.2.1", addr.String())
	for _, bad := range []string{"", "192.0.2", "192.0.2.1/24", "fe80::1%eth0"} {
		_, err := ParseAddr(bad)
		require.Error(t, err, bad)
	}
}

func TestSeconds(t *testing.T) {
	var d time.Duration
	v := Seconds(&d, 1500*time.Millisecond)
	require.Equal(t, "1.5", v.String())
	for text, want := range map[string]time.Duration{"40": 40 * time.Second,
		"0.25s": 250 * time.Millisecond} {
		require.NoError(t, v.Set(text), text)
		require.Equal(t, want, d, text)
	}
	for _, bad := range []string{"", "-1", "NaN", "86401", "1m"} {
		require.Error(t, v.Set(bad), bad)
	}
}
