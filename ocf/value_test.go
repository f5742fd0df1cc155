package ocf

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
	for _, text := range []string{"", "s", "-1s", "1.5s", "1 fortnight", "99999999999999999999s", "9223372036854775807h"} {
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

func TestOrigin(t *testing.T) {
	var origin string
	v := Origin(&origin, "https://api.digitalocean.com")
	require.Equal(t, "https://api.digitalocean.com", origin)
	require.NoError(t, v.Set("http://127.0.0.1:8080/"))
	require.Equal(t, "http://127.0.0.1:8080", origin)
	for _, text := range []string{"api.digitalocean.com", "ftp://host", "http://", "http://u:p@host", "http://host/v2", "http://host?x"} {
		require.Error(t, v.Set(text), text)
	}
}

func TestBoolAndEnum(t *testing.T) {
	var b bool
	require.NoError(t, Bool(&b, false).Set("Yes"))
	require.True(t, b)
	require.Error(t, Bool(&b, false).Set("perhaps"))
	var s string
	require.ErrorContains(t, Enum(&s, "lan", "lan", "digitalocean").Set("aws"), "is not one of lan, digitalocean")
}
